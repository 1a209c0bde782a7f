import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { it } from 'node:test';
import { createPrinter } from './printer.ts';

/** What a printer writes where people see it, and where a table of problems goes. */
function printed(where: { terminal: boolean; color?: boolean; json?: boolean; env?: Record<string, string> }) {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  for (const name of ['stdout', 'stderr'] as const)
    if (where.terminal) Object.assign(streams[name], { isTTY: true, columns: 80 });
  const io = { ...streams, env: where.env ?? {}, interrupted: new AbortController().signal, now: () => 0 };
  const print = createPrinter(io, { json: where.json ?? false, color: where.color ?? true });
  print.result('good', () => [print.style('green', 'good')]);
  print.problems(['LINE'], [['1']]);
  const text = (stream: PassThrough) => (stream.read() as Buffer | null)?.toString('utf8') ?? '';
  return { stdout: text(streams.stdout), stderr: text(streams.stderr) };
}

it('colours on a terminal', () => {
  const { stdout, stderr } = printed({ terminal: true });
  assert.equal(stdout, '\u001b[32mgood\u001b[39m\n');
  assert.ok(stderr.includes('\u001b[2m'), stderr);
});

it('colours nothing in a pipe, with NO_COLOR, --no-color or a dumb terminal', () => {
  for (const where of [
    { terminal: false },
    { terminal: true, env: { NO_COLOR: '1' } },
    { terminal: true, color: false },
    { terminal: true, env: { TERM: 'dumb' } },
  ]) {
    const { stdout, stderr } = printed(where);
    assert.equal(stdout, 'good\n');
    assert.match(stderr, /^LINE/);
    assert.ok(!stderr.includes('\u001b'), JSON.stringify(where));
  }
  assert.equal(printed({ terminal: true, json: true }).stdout, '"good"\n');
});

it('colours where NO_COLOR is there and empty', () => {
  assert.match(printed({ terminal: true, env: { NO_COLOR: '' } }).stdout, /\u001b\[32m/);
});
