/** Something that a reader of a page does. */
export type Step = CommandStep | FileStep;

/** A command of a page and what the page shows of its output. */
export interface CommandStep {
  readonly kind: 'command';
  /** Line of the page, from 1. */
  readonly line: number;
  readonly command: string;
  /** Lines of output that the page shows; undefined where it shows none. */
  readonly output: readonly string[] | undefined;
  readonly terminal: string;
  /** What it has printed when the page goes on; undefined waits for its end. */
  readonly until: string | undefined;
  /** Key that is pressed then. */
  readonly press: string | undefined;
  /** Lines that are typed, each when the command asks for something. */
  readonly typed: readonly string[];
  /** A word of the command and what its reader puts there. */
  readonly fill: readonly [word: string, value: string] | undefined;
  readonly exit: number;
  /** Why it is not run; undefined when it is. */
  readonly skip: string | undefined;
}

/** A file that the page shows and its reader makes. */
export interface FileStep {
  readonly kind: 'file';
  readonly line: number;
  readonly path: string;
  readonly text: string;
}

const FENCE = /^ {0,3}```([\w-]*)\s*$/;
const DIRECTIVE = /^ {0,3}<!-- transcript:(.*)-->\s*$/;
const OF_COMMANDS = ['terminal', 'until', 'press', 'typed', 'exit', 'fill', 'skip'];
const KNOWN = new Set([...OF_COMMANDS, 'file', 'run']);

type Directive = ReadonlyMap<string, string>;

/** Reads what the reader of a Markdown page does. Throws where a directive or a block is malformed. */
export function readPage(markdown: string): readonly Step[] {
  const steps: Step[] = [];
  const lines = markdown.split('\n');
  let directive: Directive = new Map();
  for (let at = 0; at < lines.length; at++) {
    const text = lines[at] as string;
    const said = DIRECTIVE.exec(text);
    if (said) {
      directive = readDirective(said[1] as string, at + 1);
      const hidden = directive.get('run');
      if (hidden === undefined) continue;
      steps.push(step(at + 1, hidden, undefined, directive, true));
      directive = new Map();
      continue;
    }
    const fence = FENCE.exec(text);
    if (!fence) {
      if (text.trim() !== '' && directive.size > 0) throw new Error(`line ${at + 1}: a directive without a block`);
      continue;
    }
    const begin = at + 1;
    while (++at < lines.length && !FENCE.test(lines[at] as string));
    if (at >= lines.length) throw new Error(`line ${begin}: the block has no end`);
    const body = lines.slice(begin, at);
    steps.push(...blockSteps(fence[1] as string, body, begin, directive));
    directive = new Map();
  }
  return steps;
}

function blockSteps(language: string, body: readonly string[], begin: number, directive: Directive): readonly Step[] {
  const path = directive.get('file');
  const ofCommands = OF_COMMANDS.filter(name => directive.has(name));
  if (path !== undefined) {
    if (ofCommands.length > 0) throw new Error(`line ${begin}: ${ofCommands.join(', ')} beside file`);
    return [{ kind: 'file', line: begin, path, text: `${body.join('\n')}\n` }];
  }
  if (language === 'console') return consoleSteps(body, begin + 1, directive);
  if (language === 'sh') return shellSteps(body, begin + 1, directive);
  if (directive.size > 0) throw new Error(`line ${begin}: a directive before a block that is not run`);
  return [];
}

function readDirective(text: string, line: number): Directive {
  const found = new Map<string, string>();
  const rest = text.replace(/(\w+)="((?:[^"\\]|\\.)*)"/g, (_, name: string, value: string) => {
    if (!KNOWN.has(name)) throw new Error(`line ${line}: ${name} is no directive`);
    found.set(
      name,
      value.replace(/\\(.)/g, (_all, c: string) => (c === 'n' ? '\n' : c)),
    );
    return '';
  });
  if (rest.trim() !== '' || found.size === 0)
    throw new Error(`line ${line}: cannot read the directive "${text.trim()}"`);
  if (found.has('press') && !found.has('until')) throw new Error(`line ${line}: press without until`);
  return found;
}

function consoleSteps(body: readonly string[], first: number, directive: Directive): Step[] {
  const commands: { line: number; command: string; output: string[] }[] = [];
  body.forEach((text, i) => {
    const last = commands.at(-1);
    if (text.startsWith('$ ')) commands.push({ line: first + i, command: text.slice(2), output: [] });
    else if (!last) throw new Error(`line ${first + i}: output before the first command`);
    else if (text.startsWith('> ') && last.output.length === 0) last.command += `\n${text.slice(2)}`;
    else if (text.trim() !== '') last.output.push(text);
  });
  return commands.map(({ line, command, output }, i) =>
    step(line, command, output, directive, i === commands.length - 1),
  );
}

function shellSteps(body: readonly string[], first: number, directive: Directive): Step[] {
  const commands: { line: number; command: string }[] = [];
  let open = false;
  let document: string | undefined; // how a here-document ends
  body.forEach((text, i) => {
    const last = commands.at(-1);
    if ((open || document !== undefined) && last) last.command += `\n${text}`;
    else if (text.trim() !== '' && !text.startsWith('#')) commands.push({ line: first + i, command: text });
    open = text.endsWith('\\');
    if (document === undefined) document = /<<'?(\w+)'?/.exec(text)?.[1];
    else if (text === document) document = undefined;
  });
  return commands.map(({ line, command }, i) => step(line, command, undefined, directive, i === commands.length - 1));
}

/** `terminal`, `fill` and `skip` are said of all commands of a block, everything else of the last one. */
function step(
  line: number,
  command: string,
  output: readonly string[] | undefined,
  directive: Directive,
  last: boolean,
): Step {
  return {
    kind: 'command',
    line,
    command,
    output: output?.length ? output : undefined,
    terminal: directive.get('terminal') ?? 'main',
    until: last ? directive.get('until') : undefined,
    press: last ? directive.get('press') : undefined,
    typed: last ? (directive.get('typed')?.split('\n') ?? []) : [],
    fill: fillOf(directive.get('fill'), line),
    exit: last ? Number(directive.get('exit') ?? 0) : 0,
    skip: directive.get('skip'),
  };
}

function fillOf(text: string | undefined, line: number): CommandStep['fill'] {
  const at = text?.indexOf('=') ?? 0;
  if (text !== undefined && at < 1) throw new Error(`line ${line}: fill="WORD=what stands there"`);
  return text === undefined ? undefined : [text.slice(0, at), text.slice(at + 1)];
}

/**
 * The first line that the page shows and the command did not print, or undefined. Lines must come in the page's order;
 * between them there may be others where the page says `…` alone.
 */
export function missingLine(shown: readonly string[], printed: string): string | undefined {
  const lines = printed.split('\n').map(line => line.trimEnd());
  let at = 0;
  let anywhere = true;
  for (const wanted of shown) {
    if (wanted.trim() === '…') {
      anywhere = true;
      continue;
    }
    const pattern = patternOf(wanted);
    while (at < lines.length && (lines[at] === '' || (anywhere && !pattern.test(lines[at] as string)))) at++;
    if (at >= lines.length || !pattern.test(lines[at] as string)) return wanted;
    at++;
    anywhere = false;
  }
  return undefined;
}

/** Runs of blanks count as one, so that a table may be wider than the page shows. */
function patternOf(wanted: string): RegExp {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+');
  return new RegExp(`^\\s*${wanted.trim().split('…').map(literal).join('.*')}\\s*$`, 'u');
}
