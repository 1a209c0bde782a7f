import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { Role } from '@parley/contracts';
import { createAuthority } from '@parley/testkit';
import { configHome, outcome } from '../../test/io.ts';
import { signedIn } from '../../test/world.ts';
import type { Cli } from '../cli.ts';
import { checkCertificate } from '../doctor/checks.ts';
import { tlsProbe } from '../doctor/tls.ts';

/** Lines of checks as `level name`. */
const levels = (stdout: string) =>
  stdout.split('\n').flatMap(line => /^(ok|WARN|FAIL|--) +(\S+) {2}/.exec(line)?.slice(1).join(' ') ?? []);

describe('the doctor', () => {
  it('finds a healthy server healthy, and says who is archived', async t => {
    const { ctl } = await signedIn(t);
    const { code, stdout } = await ctl(['doctor']);
    assert.deepEqual(levels(stdout), ['ok server', 'ok sign-in', 'ok archive', 'ok stream', 'ok version', 'ok clock']);
    assert.match(stdout, /archive {6}All messages are archived\. Nothing waits\.\n/);
    assert.equal(code, 0);
  });

  it('tells of records that are parked or wait, and of people with policies of their own', async t => {
    const { ctl, server } = await signedIn(t);
    const { policySummary = '' } = server.status;
    server.status = { policySummary, peopleWithOwnPolicy: 3n, partitions: [{ lag: 5_000n }] };
    const late = await ctl(['doctor']);
    assert.equal(late.code, 0);
    assert.match(
      late.stdout,
      /WARN {2}archive {6}.*3 people have a policy of their own\. 5000 records wait to be archived\n {19}It should/,
    );
    server.status = { policySummary, parked: 2n };
    const parked = await ctl(['doctor', '--json']);
    assert.equal(parked.code, 1);
    const { healthy, checks } = JSON.parse(parked.stdout) as {
      healthy: boolean;
      checks: { name: string; ok: boolean; level: string }[];
    };
    assert.equal(healthy, false);
    assert.deepEqual(
      checks.filter(check => !check.ok).map(check => [check.name, check.level]),
      [['archive', 'fail']],
    );
    server.status = { policySummary, notIndexed: 20_000n };
    assert.match((await ctl(['doctor'])).stdout, /WARN {2}archive .*cannot be found by words yet/);
  });

  it('does not look at the archive for somebody who may not', async t => {
    const { ctl, directory } = await signedIn(t);
    directory.myRoles = [Role.HELP_DESK];
    const { code, stdout } = await ctl(['doctor']);
    assert.equal(code, 0);
    assert.match(stdout, /^-- {4}archive {6}not looked at/m);
  });
});

describe('a server that cannot be reached', () => {
  const doctor = async (t: TestContext, server: string, ...more: string[]) => {
    const args = ['doctor', '--server', server, '--insecure-http', '--timeout', '500ms', ...more];
    const { code, stdout } = await outcome(args, { home: configHome(t) });
    assert.equal(code, 1);
    assert.deepEqual(levels(stdout), ['FAIL server'], 'nothing is checked after it');
    return stdout;
  };

  it('is refused by the machine: is it running?', async t => {
    const port = await listening(t, createServer());
    await closed(port);
    assert.match(
      await doctor(t, `http://127.0.0.1:${port.number}`),
      /nothing listens on 127\.0\.0\.1:\d+ \(ECONNREFUSED\)\n +Is Parley running/,
    );
  });

  it('has a name that nobody knows, or that cannot be looked up', async t => {
    assert.match(
      await doctor(t, 'https://parley.hospital.invalid'),
      /(no machine is known by the name parley\.hospital\.invalid|cannot be looked up) ?.*\((ENOTFOUND|EAI_AGAIN)\)\n +\S/,
    );
  });

  it('speaks another language: native gRPC, TLS, no TLS, other pages, operators, or nothing', async t => {
    const grpc = await listening(t, createHttp2Server() as unknown as Server);
    assert.match(await doctor(t, `http://127.0.0.1:${grpc.number}`), /is a port for native gRPC\n.*7380/);
    const mute = await listening(t, createServer());
    assert.match(await doctor(t, `http://127.0.0.1:${mute.number}`), /gives no answer that parleyctl understands\n/);
    assert.match(await doctor(t, `https://127.0.0.1:${mute.number}`), /does not speak TLS/);
    const pages = await listening(
      t,
      createHttpServer((_, response) => response.writeHead(404).end('not here')),
    );
    assert.match(
      await doctor(t, `http://127.0.0.1:${pages.number}`),
      /something else than Parley answers at .* \(HTTP 404\)/,
    );
    const admin = await listening(
      t,
      createHttpServer(({ url }, response) => response.writeHead(url === '/livez' ? 200 : 404).end()),
    );
    assert.match(await doctor(t, `http://127.0.0.1:${admin.number}`), /is a port for operators\n/);
    const proxy = await listening(
      t,
      createHttpServer((_, response) => response.writeHead(503).end()),
    );
    assert.match(
      await doctor(t, `http://127.0.0.1:${proxy.number}`),
      /a proxy at .* answers, but not the server behind it/,
    );
  });

  it('shows a certificate that is not trusted, or TLS where none was asked for', async t => {
    const { port } = await tlsServer(t);
    assert.match(
      await doctor(t, `https://127.0.0.1:${port}`),
      /the certificate of 127\.0\.0\.1 is by Test authority ca, whom this machine does not trust \(\w+\)\n +An authority of your own\? NODE_EXTRA_CA_CERTS/,
    );
    assert.match(
      await doctor(t, `http://127.0.0.1:${port}`),
      /speaks TLS, and the address says http:\/\/\n +Use https:/,
    );
  });
});

describe('a certificate', () => {
  it('is told when its end is near', async t => {
    const { port } = await tlsServer(t);
    const probe = await tlsProbe('127.0.0.1', port, 2_000);
    assert.ok(probe.kind === 'certificate');
    const at = (daysBefore: number) => {
      const now = probe.validTo.getTime() - daysBefore * 86_400_000;
      const cli = { io: { now: () => now }, options: { timeout: 2_000 } } as unknown as Cli;
      return checkCertificate(cli, `https://127.0.0.1:${port}`);
    };
    assert.equal((await at(25))?.level, 'ok');
    const soon = await at(9);
    assert.deepEqual([soon?.level, soon?.detail.endsWith(': 9 days left')], ['warn', true]);
    assert.equal((await at(-1))?.level, 'fail');
  });
});

/** A server on a port of its own, closed with the test. */
async function listening(t: TestContext, server: Server): Promise<{ number: number; server: Server }> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', socket => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { number: (server.address() as AddressInfo).port, server };
}

const closed = ({ server }: { server: Server }) => new Promise(resolve => server.close(resolve));

async function tlsServer(t: TestContext): Promise<{ port: number }> {
  const dir = mkdtempSync(join(tmpdir(), 'parleyctl-tls-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const { certFile, keyFile } = createAuthority(dir).issue('server');
  const server = createTlsServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
  server.on('tlsClientError', () => undefined);
  return { port: (await listening(t, server)).number };
}
