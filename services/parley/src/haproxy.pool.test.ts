import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { freePorts, productProcess, until } from '@parley/testkit';
import { readHaproxyPlan, renderHaproxy } from './haproxy.ts';

it('HAProxy finds replicas that come and go behind a name', async t => {
  const [front = 0, grpcFront = 0, publicPort = 0, grpcPort = 0, adminPort = 0, names = 0] = await freePorts(6);
  let addresses = ['127.0.0.2'];
  await nameServer(names, () => addresses).then(stop => t.after(stop));
  for (const host of ['127.0.0.2', '127.0.0.3'])
    for (const port of [publicPort, adminPort]) await says(host, port).then(stop => t.after(stop));

  const dir = mkdtempSync(join(tmpdir(), 'parley-haproxy-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'haproxy.cfg');
  const replica = { target: 'directory', host: 'directory.parley.example', publicPort, grpcPort, adminPort, atMost: 3 };
  const plan = { maxConnections: 1_000, nameServers: [`127.0.0.1:${names}`], replicas: [replica] };
  const bind = { publicBind: `127.0.0.1:${front}`, grpcBind: `127.0.0.1:${grpcFront}` };
  writeFileSync(file, renderHaproxy(readHaproxyPlan(JSON.stringify({ ...plan, ...bind }))));
  const args = ['-db', '-f', file];
  const haproxy = productProcess({ name: 'haproxy', command: 'haproxy', args, logFile: join(dir, 'log'), env: {} });
  t.after(() => haproxy.kill());
  await haproxy.start();

  const answers = async () => {
    assert.ok(haproxy.running, haproxy.log());
    const from = new Set<string>();
    for (let i = 0; i < 6; i++) {
      const response = await fetch(`http://127.0.0.1:${front}/`, { headers: { connection: 'close' } });
      from.add(response.ok ? await response.text() : String(response.status));
    }
    return [...from].sort().join();
  };
  for (const wanted of [['127.0.0.2'], ['127.0.0.2', '127.0.0.3'], ['127.0.0.3']]) {
    addresses = wanted;
    await until(`answers of ${wanted.join()} alone`, async () => (await answers()) === wanted.join(), {
      timeoutMs: 20_000,
      everyMs: 100,
    });
  }
});

/** A server that answers everything with its address. */
async function says(host: string, port: number): Promise<() => void> {
  const server = createServer((_, response) => void response.end(host));
  await new Promise<void>(resolve => server.listen(port, host, resolve));
  return () => void server.close().closeAllConnections();
}

/** Answers each question with the addresses there are now (RFC 1035), and those for IPv6 with none. */
async function nameServer(port: number, addresses: () => readonly string[]): Promise<() => void> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port: from }) => {
    const end = query.indexOf(0, 12) + 5; // behind name, type and class
    const question = query.subarray(12, end);
    const answers = question.readUInt16BE(question.length - 4) === 1 ? addresses() : [];
    const head = Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x81, 0x80, 0, 1, 0, answers.length, 0, 0, 0, 0]);
    const records = answers.map(ip =>
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...ip.split('.').map(Number)]),
    );
    socket.send(Buffer.concat([head, question, ...records]), from, address);
  });
  await new Promise<void>(resolve => socket.bind(port, '127.0.0.1', resolve));
  return () => void socket.close();
}
