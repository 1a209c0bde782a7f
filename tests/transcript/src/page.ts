/** A command of a page and what the page shows of its output. */
export interface Step {
  /** Line of the page, from 1. */
  readonly line: number;
  readonly command: string;
  /** Lines of output that the page shows; undefined where it shows none. */
  readonly output: readonly string[] | undefined;
  readonly terminal: string;
  /** What it has printed when the page goes on; undefined waits for its end. */
  readonly until: string | undefined;
  readonly stdin: string;
  readonly exit: number;
  /** Why it is not run; undefined when it is. */
  readonly skip: string | undefined;
}

const FENCE = /^ {0,3}```(\w*)\s*$/;
const DIRECTIVE = /^ {0,3}<!-- transcript:(.*)-->\s*$/;
const KNOWN = new Set(['terminal', 'until', 'stdin', 'exit', 'skip']);

/** Reads the commands of a Markdown page. Throws where a directive or a block is malformed. */
export function readPage(markdown: string): readonly Step[] {
  const steps: Step[] = [];
  const lines = markdown.split('\n');
  let directive: ReadonlyMap<string, string> = new Map();
  for (let at = 0; at < lines.length; at++) {
    const text = lines[at] as string;
    const said = DIRECTIVE.exec(text);
    if (said) {
      directive = readDirective(said[1] as string, at + 1);
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
    if (fence[1] === 'console') steps.push(...consoleSteps(body, begin + 1, directive));
    else if (fence[1] === 'sh') steps.push(...shellSteps(body, begin + 1, directive));
    else if (directive.size > 0) throw new Error(`line ${begin}: a directive before a block that is not run`);
    directive = new Map();
  }
  return steps;
}

function readDirective(text: string, line: number): ReadonlyMap<string, string> {
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
  return found;
}

function consoleSteps(body: readonly string[], first: number, directive: ReadonlyMap<string, string>): Step[] {
  const commands: { line: number; command: string; output: string[] }[] = [];
  body.forEach((text, i) => {
    const last = commands.at(-1);
    if (text.startsWith('$ ')) commands.push({ line: first + i, command: text.slice(2), output: [] });
    else if (!last) throw new Error(`line ${first + i}: output before the first command`);
    else if (text.startsWith('> ')) last.command += `\n${text.slice(2)}`;
    else if (text.trim() !== '') last.output.push(text);
  });
  return commands.map(({ line, command, output }, i) =>
    step(line, command, output, directive, i === commands.length - 1),
  );
}

function shellSteps(body: readonly string[], first: number, directive: ReadonlyMap<string, string>): Step[] {
  const commands: { line: number; command: string }[] = [];
  let open = false;
  body.forEach((text, i) => {
    const last = commands.at(-1);
    if (open && last) last.command += `\n${text}`;
    else if (text.trim() !== '' && !text.startsWith('#')) commands.push({ line: first + i, command: text });
    open = text.endsWith('\\');
  });
  return commands.map(({ line, command }, i) => step(line, command, undefined, directive, i === commands.length - 1));
}

/** `until`, `stdin` and `exit` are said of the last command of a block; `terminal` and `skip` of all. */
function step(
  line: number,
  command: string,
  output: readonly string[] | undefined,
  directive: ReadonlyMap<string, string>,
  last: boolean,
): Step {
  return {
    line,
    command,
    output: output?.length ? output : undefined,
    terminal: directive.get('terminal') ?? 'main',
    until: last ? directive.get('until') : undefined,
    stdin: last ? (directive.get('stdin') ?? '') : '',
    exit: last ? Number(directive.get('exit') ?? 0) : 0,
    skip: directive.get('skip'),
  };
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
