import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { startParley, until } from '@parley/testkit';
import { PARLEYCTL, parleyctl, parleyctlEnv } from './parleyctl.ts';

const PEOPLE = 20_000;
/** Bad rows stand together in the middle, so that people come before and after them. */
const BAD = [
  ['', 'No Address', 'address'],
  ['not an address', 'Odd Address', 'address'],
  ['nobody-1@parley.example', '', 'display_name'],
  ['nobody-2@elsewhere.example', '外人', 'address'],
  ['nobody-3@parley.example', 'x'.repeat(2_000), 'display_name'],
] as const;
const FAMILIES = ['Okafor', '林', 'Souza', '陳', "O'Neill", '黃'];
const GIVEN = ['Tom', '美玲', 'Ana', '志偉', 'Siân', '怡君', 'Ben'];

const addressOf = (i: number) => `p${i}@parley.example`;
const nameOf = (i: number) => `${FAMILIES[i % FAMILIES.length]} ${GIVEN[i % GIVEN.length]} ${i}`;

/** A file of 20,000 people, in English and in Chinese, every tenth with a manager. */
function people(): string {
  const rows = Array.from({ length: PEOPLE }, (_, i) =>
    [
      addressOf(i),
      nameOf(i),
      i % 2 ? '外科' : 'Pharmacy',
      `N-${i}`,
      // now and then somebody of a later row
      i % 10 === 9 ? addressOf(i % 1_000 === 9 ? PEOPLE - 1 - i : i - 9) : '',
    ].join(','),
  );
  rows.splice(PEOPLE / 2, 0, ...BAD.map(([address, name]) => `${address},${name},,,`));
  return `mail,name,department,employee number,manager\r\n${rows.join('\r\n')}\r\n`;
}

/** The most memory a process had at once, MiB; undefined when it is gone. */
function peakMiB(pid: number): number | undefined {
  try {
    const kiB = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kiB === undefined ? undefined : Number(kiB) / 1024;
  } catch {
    return undefined;
  }
}

/** Runs `bin/parleyctl` and looks at its memory until it ends. */
async function watched(dir: string, args: readonly string[]) {
  const env = parleyctlEnv(dir);
  const child = spawn(PARLEYCTL, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const out = { stdout: '', stderr: '', code: undefined as number | null | undefined, peak: 0 };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8');
    child[name].on('data', (text: string) => (out[name] += text));
  }
  child.once('close', code => (out.code = code));
  try {
    await until(
      'the import to end',
      () => {
        out.peak = Math.max(out.peak, peakMiB(child.pid as number) ?? 0);
        return out.code !== undefined;
      },
      { timeoutMs: 120_000, everyMs: 50 },
    );
  } finally {
    child.kill('SIGKILL');
  }
  return out;
}

/** What the program prints on a terminal, `script` of util-linux being the terminal. */
function onTerminal(dir: string, args: readonly string[]): Promise<string> {
  const env = parleyctlEnv(dir);
  const command = [PARLEYCTL, ...args].map(word => `'${word}'`).join(' ');
  return new Promise((done, fail) => {
    const options = { env, timeout: 120_000, maxBuffer: 16 << 20 };
    const child = execFile('/usr/bin/script', ['-qec', command, '/dev/null'], options, (error, stdout) =>
      error && error.code !== 1 ? fail(error) : done(stdout),
    );
    child.stdin?.end();
  });
}

it('tens of thousands of people come in by one file, with progress, in little memory, and a repetition changes nothing', {
  timeout: 175_000,
  skip: process.platform !== 'linux' && 'memory is read from /proc',
}, async t => {
  const parley = await startParley({ topology: 'standalone' });
  try {
    const dir = join(parley.dir, 'import');
    mkdirSync(dir);
    const file = join(dir, 'people.csv');
    writeFileSync(file, people());
    const { address, password } = parley.administrator;
    const login = ['login', address, '--server', parley.url, '--password-stdin'];
    assert.equal((await parleyctl(dir, login, `${password}\n`)).code, 0);

    const began = performance.now();
    const errors = join(dir, 'errors.csv');
    const first = await watched(dir, ['users', 'import', file, '--errors', errors, '--json']);
    const seconds = (performance.now() - began) / 1000;
    const events = first.stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    assert.equal(first.code, 1, `bad rows are told: ${first.stderr.slice(0, 1_000)}`);
    const { durationMs, ...result } = events.at(-1);
    const counts = { updated: 0, unchanged: 0, refused: BAD.length, managersRefused: 0, skipped: 0 };
    const rows = PEOPLE + BAD.length;
    assert.deepEqual(result, { type: 'result', dryRun: false, rows, created: PEOPLE, ...counts });
    assert.ok(durationMs > 0 && durationMs <= seconds * 1000);
    const told = events.filter(event => event.type === 'refused').map(event => [event.line, event.field]);
    const expected = BAD.map(([, , field], i) => [PEOPLE / 2 + 2 + i, field]);
    assert.deepEqual(
      told.sort((a, b) => a[0] - b[0]),
      expected,
    );
    assert.equal(readFileSync(errors, 'utf8').trimEnd().split('\r\n').length, 1 + BAD.length);

    const server = peakMiB(parley.processes[0]?.pid as number) ?? Number.NaN;
    t.diagnostic(
      `${seconds.toFixed(1)} s; most memory: server ${server.toFixed(0)}, parleyctl ${first.peak.toFixed(0)} MiB`,
    );
    assert.ok(server > 50 && server < 800, `the server had ${server.toFixed(0)} MiB`);
    assert.ok(first.peak > 30 && first.peak < 500, `parleyctl had ${first.peak.toFixed(0)} MiB`);

    const last = PEOPLE - 1;
    const shown = await parleyctl(dir, ['users', 'show', addressOf(last), '--json']);
    assert.equal(JSON.parse(shown.stdout).displayName, nameOf(last));

    const again = ['users', 'import', file];
    const outcome = new RegExp(`0 created, 0 updated, ${PEOPLE} unchanged, ${BAD.length} refused`);
    if (!existsSync('/usr/bin/script')) {
      assert.match((await parleyctl(dir, again)).stdout, outcome);
      return;
    }
    const seen = await onTerminal(dir, again);
    assert.match(seen, outcome);
    const steps = [...seen.matchAll(/\r\u001b\[K(\d+) rows(?:, \d+ rows\/s)?: 0 created/g)].map(([, n]) => Number(n));
    assert.ok(new Set(steps).size > 1, `progress: ${steps}`);
    assert.ok(
      steps.every((n, i) => n >= (steps[i - 1] ?? 0) && n <= rows),
      `progress: ${steps}`,
    );
  } finally {
    await parley.stop();
  }
});
