/** A lock between processes that the kernel releases when its holder dies. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { need } from './tools.ts';

/**
 * Runs `body` while holding the lock file. `onWait` is called once when somebody else holds it. The lock lives in a
 * helper (`flock … cat`) whose standard input we keep open: when this process ends, however it ends, the helper ends.
 */
export async function withLock<T>(file: string, body: () => Promise<T>, onWait?: () => void): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const helper = spawn(
    need('flock'),
    ['--exclusive', '--no-fork', file, 'sh', '-c', 'echo held; exec cat >/dev/null'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    },
  );
  const ended = new Promise<void>(resolve => {
    helper.once('close', () => resolve());
    helper.once('error', () => resolve());
  });
  const waiting = setTimeout(() => onWait?.(), 300);
  const held = await new Promise<boolean>(resolve => {
    helper.stdout.once('data', () => resolve(true));
    void ended.then(() => resolve(false));
  });
  clearTimeout(waiting);
  if (!held) throw new Error(`cannot lock ${file}`);
  try {
    return await body();
  } finally {
    helper.stdin.end();
    await ended;
  }
}
