import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createFakeServer } from './fake-server.ts';
import { configHome, outcome, start } from './io.ts';

/** Password of everybody at the fake server. */
export const PASSWORD = 'correct horse battery';

/** A fake server with somebody signed in to it, and a directory for files. */
export async function signedIn(t: TestContext) {
  const home = configHome(t);
  const server = createFakeServer();
  const dir = mkdtempSync(join(tmpdir(), 'parleyctl-files-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const options = { home, fetch: server.fetch };
  const ctl = (
    args: readonly string[],
    more: { input?: string | Uint8Array; terminal?: boolean; env?: Record<string, string> } = {},
  ) => outcome(args, { ...options, ...more });
  const login = ['login', 'mei@clinic.example', '--server', 'http://127.0.0.1:9', '--password-stdin'];
  assert.equal((await ctl(login, { input: `${PASSWORD}\n` })).code, 0);
  return {
    server,
    directory: server.directory,
    ctl,
    start: (args: readonly string[]) => start(args, options),
    /** Writes a file and returns its path. */
    file(name: string, content: string | Uint8Array): string {
      writeFileSync(join(dir, name), content);
      return join(dir, name);
    },
    dir,
  };
}

/** Values of JSON lines. */
export const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>);
