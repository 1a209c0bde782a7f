import { execFile } from 'node:child_process';
import { resolve } from 'node:path';

const PARLEYCTL = resolve(import.meta.dirname, '../../bin/parleyctl');

/** What a command printed and how it ended. */
export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `bin/parleyctl` with its profiles below `dir`, with `input` typed. */
export function parleyctl(dir: string, args: readonly string[], input = ''): Promise<Printed> {
  const env = { PATH: process.env.PATH, HOME: dir, XDG_CONFIG_HOME: dir, PARLEY_NODE: process.execPath };
  return new Promise((done, fail) => {
    const child = execFile(PARLEYCTL, [...args], { env, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') fail(error);
      else done({ code: Number(error?.code ?? 0), stdout, stderr });
    });
    child.stdin?.end(input);
  });
}
