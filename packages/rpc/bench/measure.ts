// CPU of unary calls and stream writes, memory of idle streams. See README.md.
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { create, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { DirectoryInternalService } from '@parley/contracts/directory/v1/internal';
import { SendMessageRequestSchema } from '@parley/contracts/im/v1/im';
import { createClient, createGrpcChannel } from '../src/index.ts';

const what = process.argv[2] ?? 'all';
const calls = Number(process.env.CALLS ?? 40_000);
const streams = Number(process.env.STREAMS ?? 2000);
const args = (process.env.SERVER_ARGS ?? '').split(' ').filter(arg => arg !== '');
// The server on core 0, this process on core 1, as every figure of ours is taken.
const child = fork(new URL('./server.ts', import.meta.url), { execArgv: ['--expose-gc', ...args] });
pin(child.pid, 0);
pin(process.pid, 1);
const [ports] = (await once(child, 'message')) as [{ web: number; grpc: number }];

function pin(pid: number | undefined, core: number): void {
  spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)]);
}

type Report = { cpu: number; user: number; system: number; rss: number; heapUsed: number; external: number };
async function ask(question: object): Promise<Report> {
  child.send(question);
  return ((await once(child, 'message')) as [Report])[0];
}

const message = toBinary(
  SendMessageRequestSchema,
  create(SendMessageRequestSchema, {
    messageId: 'b5d5b6a0-0000-4000-8000-000000000000',
    recipientId: 'p2',
    content: { text: 'hello there, how are you?' },
  }),
);
const token = `person:${'p'.repeat(400)}`;

function httpRequest(path: string, body: Buffer): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nhost: chat.example\r\nauthorization: Bearer ${token}\r\ncontent-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\naccept: */*\r\norigin: https://chat.example\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64)\r\naccept-encoding: gzip, deflate\r\ngrpc-timeout: 10000m\r\ncontent-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

function frame(bytes: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

async function dial(): Promise<Socket> {
  const socket = connect(ports.web, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

async function webUnary(): Promise<void> {
  const request = httpRequest('/parley.im.v1.ImService/SendMessage', frame(message));
  const sockets = await Promise.all(Array.from({ length: 16 }, dial));
  const run = (n: number) =>
    Promise.all(
      sockets.map(
        socket =>
          new Promise<void>(resolve => {
            let left = Math.ceil(n / sockets.length);
            const onData = (chunk: Buffer) => {
              // The trailers are the last bytes of every response.
              if (!chunk.subarray(-15).equals(Buffer.from('grpc-status:0\r\n'))) throw new Error(chunk.toString());
              if (--left > 0) return void socket.write(request);
              socket.off('data', onData);
              resolve();
            };
            socket.on('data', onData);
            socket.write(request);
          }),
      ),
    );
  await run(calls / 2);
  await measure('web unary, us CPU a call', calls, () => run(calls));
  for (const socket of sockets) socket.destroy();
}

async function grpcUnary(): Promise<void> {
  const client = new Client(`127.0.0.1:${ports.grpc}`, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const body = Buffer.from(message);
  const identity = (b: Buffer) => b;
  const one = () =>
    new Promise<void>((resolve, reject) =>
      client.makeUnaryRequest('/parley.im.v1.ImService/SendMessage', identity, identity, body, metadata, error =>
        error ? reject(error) : resolve(),
      ),
    );
  const run = (n: number) =>
    Promise.all(
      Array.from({ length: 32 }, async () => {
        for (let i = 0; i < n / 32; i++) await one();
      }),
    );
  await run(calls / 2);
  await measure('gRPC unary, us CPU a call', calls, () => run(calls));
  client.close();
}

/** What a service pays to call another: this process is the one that is measured. */
async function channelUnary(): Promise<void> {
  const channel = createGrpcChannel({ target: `127.0.0.1:${ports.grpc}`, serviceTokens: () => 'service:session' });
  const directory = createClient(DirectoryInternalService, channel);
  const ids = ['p1', 'p2'];
  const run = (n: number) =>
    Promise.all(
      Array.from({ length: 32 }, async () => {
        for (let i = 0; i < n / 32; i++) await directory.getPrincipals({ ids });
      }),
    );
  await run(calls / 2);
  const before = process.cpuUsage();
  const started = performance.now();
  await run(calls);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  const us = (n: number) => (n / calls).toFixed(1);
  console.log(
    `channel, us CPU of the caller a call: ${us(user + system)} (user ${us(user)}, system ${us(system)}); ${Math.round(calls / seconds)}/s`,
  );
  channel.close();
}

async function webStreams(): Promise<void> {
  const before = await ask({ what: 'memory' });
  const request = httpRequest('/parley.session.v1.SessionService/Connect', frame(new Uint8Array()));
  const sockets: Socket[] = [];
  while (sockets.length < streams) {
    const some = await Promise.all(Array.from({ length: Math.min(100, streams - sockets.length) }, dial));
    await Promise.all(some.map(socket => (socket.write(request), once(socket, 'data'))));
    for (const socket of some) socket.on('data', () => {});
    sockets.push(...some);
  }
  const after = await ask({ what: 'memory' });
  const kb = (n: number) => ((n / streams / 1024) | 0) + Math.round(((n / streams / 1024) % 1) * 10) / 10;
  console.log(
    `${streams} idle streams, KB each: rss ${kb(after.rss - before.rss)}, heap ${kb(after.heapUsed - before.heapUsed)}, external ${kb(after.external - before.external)}`,
  );
  const rounds = Math.ceil(calls / streams);
  await ask({ what: 'write', n: Math.ceil(rounds / 2) });
  await measure('stream write, us CPU a chunk', rounds * streams, () => ask({ what: 'write', n: rounds }));
  for (const socket of sockets) socket.destroy();
}

async function measure(name: string, n: number, run: () => Promise<unknown>): Promise<void> {
  const before = await ask({ what: 'cpu' });
  const started = performance.now();
  await run();
  const seconds = (performance.now() - started) / 1000;
  const after = await ask({ what: 'cpu' });
  const us = (key: 'cpu' | 'user' | 'system') => ((after[key] - before[key]) / n).toFixed(1);
  console.log(`${name}: ${us('cpu')} (user ${us('user')}, system ${us('system')}); ${Math.round(n / seconds)}/s`);
}

if (what === 'all' || what === 'web') await webUnary();
if (what === 'all' || what === 'grpc') await grpcUnary();
if (what === 'all' || what === 'channel') await channelUnary();
if (what === 'all' || what === 'streams') await webStreams();
child.disconnect();
