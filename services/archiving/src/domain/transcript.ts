import { CONFLICT, NOT_ACCEPTED } from './link.ts';

/** One thing that was said, for people to read. */
export interface Line {
  readonly timeMs: number;
  readonly name: string;
  readonly address: string;
  readonly text: string;
  readonly kind: string;
  readonly state: number;
  readonly intact: boolean;
}

const MARKS: Readonly<Record<number, string>> = {
  [CONFLICT]: 'another version of a message with the same id',
  [NOT_ACCEPTED]: 'not accepted by the server; reached nobody',
};

/** A conversation of a day as text: who, when in UTC, what; each text indented, so that none can look like another line. */
export function transcript(title: string, lines: readonly Line[]): string {
  return `${title}\n\n${lines.map(said).join('\n')}`;
}

function said({ timeMs, name, address, text, kind, state, intact }: Line): string {
  const who = address === '' ? flat(name) : `${flat(name)} <${flat(address)}>`.trim();
  const marks = [
    ...(kind === 'message' || kind === '' ? [] : [kind]),
    ...(MARKS[state] === undefined ? [] : [MARKS[state]]),
    ...(intact ? [] : ['the archived bytes were changed since']),
  ];
  const head = `[${new Date(timeMs).toISOString().slice(11, 19)}] ${who}${marks.map(mark => ` (${mark})`).join('')}`;
  const body = text.split(/\r\n|[\n\r\u2028\u2029]/).map(line => `    ${line}\n`);
  return `${head}\n${body.join('')}`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
const flat = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
