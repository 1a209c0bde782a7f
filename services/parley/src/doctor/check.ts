import { styleText } from 'node:util';

/** What was looked at and found. */
export interface Check {
  /** What was looked at, a word or two. */
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  /** What to do; there is one unless all is well. */
  readonly remedy?: string;
}

export const ok = (name: string, detail: string): Check => ({ name, status: 'ok', detail });
export const warning = (name: string, detail: string, remedy: string): Check => ({
  name,
  status: 'warning',
  detail,
  remedy,
});
export const failed = (name: string, detail: string, remedy: string): Check => ({
  name,
  status: 'failed',
  detail,
  remedy,
});

const SIGNS = { ok: ['ok  ', 'green'], warning: ['warn', 'yellow'], failed: ['FAIL', 'red'] } as const;

/** The checks as lines for people. */
export function rendered(checks: readonly Check[], colour: boolean): readonly string[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const indent = ' '.repeat(width + 8);
  const lines = checks.flatMap(({ name, status, detail, remedy }) => {
    const [sign, tint] = SIGNS[status];
    const first = `${colour ? styleText(tint, sign, { validateStream: false }) : sign}  ${name.padEnd(width)}  ${detail}`;
    return remedy === undefined ? [first] : [first, `${indent}${remedy}`];
  });
  const count = (status: Check['status']) => checks.filter(check => check.status === status).length;
  const verdict =
    count('failed') > 0
      ? `${count('failed')} wrong, ${count('warning')} to look at`
      : count('warning') > 0
        ? `nothing wrong, ${count('warning')} to look at`
        : 'nothing wrong';
  return [...lines, verdict];
}
