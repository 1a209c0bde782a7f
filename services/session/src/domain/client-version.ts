/** Name and version of a client. */
export interface ClientVersion {
  readonly name: string;
  readonly numbers: readonly [number, number, number];
}

const CLIENT = /^([A-Za-z0-9][A-Za-z0-9._-]{0,47})\/(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:[-+][A-Za-z0-9.+-]*)?$/;
const VERSION = /^(\d{1,6})\.(\d{1,6})\.(\d{1,6})$/;

/** Reads `name/1.2.3`, with an optional `-suffix` that does not count; undefined when it is none. */
export function parseClientVersion(text: string): ClientVersion | undefined {
  const match = CLIENT.exec(text);
  return match ? { name: match[1] as string, numbers: triple(match, 2) } : undefined;
}

/** Reads `1.2.3`; undefined when it is none. */
export function parseVersion(text: string): readonly [number, number, number] | undefined {
  const match = VERSION.exec(text);
  return match ? triple(match, 1) : undefined;
}

/** Whether version `a` comes before `b`. */
export function isOlder(a: readonly [number, number, number], b: readonly [number, number, number]): boolean {
  for (let i = 0; i < 3; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    if (x !== y) return x < y;
  }
  return false;
}

function triple(match: RegExpExecArray, from: number): readonly [number, number, number] {
  return [Number(match[from]), Number(match[from + 1]), Number(match[from + 2])];
}
