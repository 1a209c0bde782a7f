import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { freePorts } from '@parley/testkit';
import { missingLine, readPage, type Step } from './page.ts';
import { Terminal } from './terminal.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

/** Every page whose commands are a promise. */
const PAGES: readonly string[] = ['README.md'];

/** What cannot be run here, and why. A page that skips anything else fails. */
const SKIPPED: readonly (readonly [page: string, command: string])[] = [
  ['README.md', 'make test    # everything that needs only Node.js'],
];

const STEP_MS = 120_000;

for (const page of PAGES) {
  test(`every command of ${page} does what the page shows`, { timeout: 600_000 }, async t => {
    const steps = readPage(readFileSync(join(ROOT, page), 'utf8'));
    assert.ok(steps.length > 0, `${page} shows no command`);
    const skipped = steps.filter(step => step.skip !== undefined).map(step => step.command);
    assert.deepEqual(
      skipped,
      SKIPPED.filter(([of]) => of === page).map(([, command]) => command),
    );
    const aside = await moveAside();
    const terminals = new Map<string, Terminal>();
    t.after(async () => {
      for (const terminal of terminals.values()) await terminal.close();
      rmSync(aside.home, { recursive: true, force: true });
    });
    for (const step of steps) {
      if (step.skip !== undefined) continue;
      const terminal = terminals.get(step.terminal) ?? new Terminal(ROOT, aside.env);
      terminals.set(step.terminal, terminal);
      const printed = () => [...terminals.values()].map(each => each.printed).join('\n');
      await runStep(step, terminal, text => fillIn(aside.replace(text), aside.data, printed));
    }
  });
}

async function runStep(step: Step, terminal: Terminal, prepare: (text: string) => string): Promise<void> {
  const where = `line ${step.line}: ${step.command}`;
  const { output, exit } = await terminal
    .run(prepare(step.command), { stdin: prepare(step.stdin), until: step.until, timeoutMs: STEP_MS })
    .catch((error: Error) => assert.fail(`${where}: ${error.message}`));
  const end = output.slice(-2_000);
  if (exit !== undefined || step.until === undefined) assert.equal(exit, step.exit, `${where} printed:\n${end}`);
  const missing = missingLine((step.output ?? []).map(prepare), output);
  assert.equal(missing, undefined, `${where} did not print this line; it printed:\n${end}`);
}

/** A home, a data directory and ports of its own; the addresses that pages print lead there. */
async function moveAside() {
  const home = mkdtempSync(join(tmpdir(), 'parley-transcript-'));
  const data = join(home, 'data');
  const [publicPort, grpcPort, adminPort] = (await freePorts(3)).map(String) as [string, string, string];
  const replace = (text: string) =>
    text
      .replaceAll('/var/lib/parley', data)
      .replaceAll('/var/backups/parley', join(home, 'backups'))
      .replaceAll(':7380', `:${publicPort}`)
      .replaceAll(':7390', `:${grpcPort}`)
      .replaceAll(':7399', `:${adminPort}`);
  const env = {
    PATH: `${join(ROOT, 'bin')}:${process.env.PATH}`,
    HOME: home,
    TZ: 'UTC',
    LANG: 'C.UTF-8',
    XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? home, '.cache'),
    PARLEY_DATA_DIR: data,
    PARLEY_PUBLIC_PORT: publicPort,
    PARLEY_GRPC_PORT: grpcPort,
    PARLEY_ADMIN_PORT: adminPort,
  };
  return { home, data, env, replace };
}

/** `{password:ADDRESS}` is a demo password, `{printed:PATTERN}` the first group of the pattern in what was shown so far. */
function fillIn(text: string, data: string, printed: () => string): string {
  return text.replace(/\{(password|printed):([^}]+)\}/g, (_, kind: string, value: string) => {
    const from = kind === 'password' ? readFileSync(join(data, 'demo-accounts.txt'), 'utf8') : printed();
    const pattern = kind === 'password' ? `^${value.replaceAll('.', '\\.')}\\s+(\\S+)` : value;
    const found = new RegExp(pattern, 'm').exec(from)?.[1];
    assert.ok(found !== undefined, `nothing for ${kind} ${value}`);
    return found;
  });
}
