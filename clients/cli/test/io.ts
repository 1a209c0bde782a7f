import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { TestContext } from 'node:test';
import { run } from '../src/program.ts';

/** Directory of its own for the profiles of a test; removed afterwards. */
export function configHome(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'parleyctl-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A command under way in this process. */
export interface Running {
  readonly stdin: PassThrough & { isTTY?: boolean; setRawMode?: (raw: boolean) => void };
  stdout(): string;
  stderr(): string;
  /** Presses Ctrl-C. */
  interrupt(): void;
  /** Exit code, once it has ended. */
  readonly exit: Promise<number>;
}

/** Starts a command in this process, as from a pipe. */
export function start(
  args: readonly string[],
  options: {
    readonly home: string;
    readonly fetch?: typeof globalThis.fetch;
    readonly env?: Record<string, string>;
    readonly terminal?: boolean;
  },
): Running {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    streams[name].on('data', (chunk: Buffer) => (texts[name] += chunk.toString('utf8')));
  const raw: boolean[] = [];
  if (options.terminal) {
    Object.assign(streams.stdin, { isTTY: true, setRawMode: (on: boolean) => raw.push(on) });
    for (const name of ['stdout', 'stderr'] as const) Object.assign(streams[name], { isTTY: true, columns: 80 });
  }
  const interruption = new AbortController();
  const exit = run(args, {
    ...streams,
    env: { XDG_CONFIG_HOME: options.home, ...options.env },
    interrupted: interruption.signal,
    now: () => Date.now(),
    sleep: async () => undefined,
    ...(options.fetch && { fetch: options.fetch }),
  });
  return {
    stdin: streams.stdin,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    interrupt: () => interruption.abort(new DOMException('Ctrl-C', 'AbortError')),
    exit,
  };
}

/** Runs a command to its end. */
export async function outcome(
  args: readonly string[],
  options: Parameters<typeof start>[1] & { readonly input?: string | Uint8Array },
): Promise<{ code: number; stdout: string; stderr: string }> {
  const running = start(args, options);
  running.stdin.end(options.input ?? '');
  const code = await running.exit;
  return { code, stdout: running.stdout(), stderr: running.stderr() };
}
