import { execFile } from 'node:child_process';
import { resolve } from 'node:path';

export const PARLEYCTL = resolve(import.meta.dirname, '../../bin/parleyctl');

/** What a command printed and how it ended. */
export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of a person whose home is `dir`, with the compiled code of whoever runs the tests. */
export function parleyctlEnv(dir: string): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { PATH, NODE_COMPILE_CACHE, HOME: dir, XDG_CONFIG_HOME: dir, PARLEY_NODE: process.execPath };
}

/** Runs `bin/parleyctl` with its profiles below `dir`, with `input` typed and `more` variables. */
export function parleyctl(
  dir: string,
  args: readonly string[],
  input = '',
  more: NodeJS.ProcessEnv = {},
): Promise<Printed> {
  const options = { env: { ...parleyctlEnv(dir), ...more }, timeout: 60_000 };
  return new Promise((done, fail) => {
    const child = execFile(PARLEYCTL, [...args], options, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') fail(error);
      else done({ code: Number(error?.code ?? 0), stdout, stderr });
    });
    child.stdin?.end(input);
  });
}
