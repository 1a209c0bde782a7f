import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { before, describe, it } from 'node:test';
import { connectconformancePath } from '../backends/src/index.ts';

const here = import.meta.dirname;

/** Runs the suites against our server; no case may fail and none is excused. Resolves to how many cases there were. */
async function conformance(binary: string, config: string, ...options: string[]): Promise<number> {
  const server = ['sh', 'tools/node.sh', 'tests/conformance/src/server.ts'];
  const child = spawn(
    binary,
    ['--mode', 'server', '--conf', `${here}/${config}`, '--trace', ...options, '--', ...server],
    {
      cwd: `${here}/../..`,
      env: { ...process.env, PARLEY_NODE: process.execPath },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const closed = new Promise<number | null>(resolve => {
    child.once('close', resolve);
  });
  const [code, output, errors] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
  assert.equal(code, 0, `${errors}${output}`.slice(0, 20_000));
  const [, cases, passed, failed] = /Total cases: (\d+)\n(\d+) passed, (\d+) failed/.exec(output + errors) ?? [];
  assert.equal(failed, '0', output);
  assert.equal(cases, passed, output);
  return Number(cases);
}

describe('connectconformance', () => {
  let binary: string;
  before(async () => {
    binary = await connectconformancePath();
  });

  it('finds nothing wrong with gRPC-Web over HTTP/1.1 and HTTP/2, in clear, over TLS and with client certificates', async t => {
    const cases = await conformance(binary, 'grpc-web.yaml');
    t.diagnostic(`${cases} cases`);
    assert.ok(cases >= 270, `only ${cases} cases were run`);
  });

  it('finds nothing wrong with native gRPC as the client of gRPC itself sees it', async t => {
    const cases = await conformance(binary, 'grpc.yaml', '--run', '**/(grpc client impl)/**');
    t.diagnostic(`${cases} cases`);
    assert.ok(cases >= 55, `only ${cases} cases were run`);
  });
});
