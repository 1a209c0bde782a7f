import { readFileSync } from 'node:fs';

/** Version of this server. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

/** Whether version `a` came after `b`; only the three numbers count. */
export function isNewer(a: string, b: string): boolean {
  const [left, right] = [a, b].map(numbers);
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

const numbers = (version: string): number[] => version.split(/[.+-]/, 3).map(part => Number.parseInt(part, 10) || 0);
