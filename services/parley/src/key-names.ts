/**
 * How key files are called: `<family>.pem` for the first key of a family, `<family>-<when it begins to sign>.pem` for
 * those that took its place, and the same with `.pub` for the public halves. Families: `person-token` (whose first key is
 * `person-token-1`), `checkpoint`, `service-<name>`.
 */
export interface KeyName {
  /** Without its ending. */
  readonly base: string;
  readonly family: string;
  /** Milliseconds since 1970-01-01 UTC; first keys sign from the beginning. */
  readonly signsFromMs: number;
}

const FORM = /^(?:(person-token)-(\d{1,14})|(checkpoint|service-[a-z][a-z-]*?)(?:-(\d{14}))?)$/;

/** What a name without its ending says; undefined when it is none of a key that signs. */
export function parseKeyName(base: string): KeyName | undefined {
  const [, person, number, other, stamp] = FORM.exec(base) ?? [];
  const family = person ?? other;
  return family === undefined ? undefined : { base, family, signsFromMs: timeOf(number ?? stamp ?? '0') };
}

/** The name of a key that begins to sign then; whole seconds. */
export function keyNameOf(family: string, signsFromMs: number): KeyName {
  const stamp = new Date(signsFromMs).toISOString().slice(0, 19).replace(/\D/g, '');
  return { base: `${family}-${stamp}`, family, signsFromMs: timeOf(stamp) };
}

/** `20261121060000` as a time; shorter numbers are those of keys without one. */
function timeOf(digits: string): number {
  if (digits.length < 14) return Number(digits);
  const [, date, hours, minutes, seconds] = /^(\d{8})(\d\d)(\d\d)(\d\d)$/.exec(digits) as RegExpExecArray;
  const day = (date as string).replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3');
  return Date.parse(`${day}T${hours}:${minutes}:${seconds}Z`);
}
