/** Frames, base64 and HTTP that are cut, doubled, wrong and without end, against the listeners alone. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rpcErrors } from '@parley/rpc';
import fc from 'fast-check';
import { createGrpcChannel } from '../../packages/rpc/src/grpc-channel.ts';
import { createGrpcServer } from '../../packages/rpc/src/grpc-server.ts';
import { type Bench, createBench } from '../../packages/rpc/src/testing/harness.ts';
import { webHead } from '../../packages/rpc/src/testing/http.ts';
import { echo, message, send } from '../../packages/rpc/src/testing/web.ts';
import { createWebServer, type WebServer } from '../../packages/rpc/src/web-server.ts';
import { runs } from './src/settings.ts';
import { damaged } from './src/shapes.ts';
import { alive, watchProcess } from './src/watch.ts';
import { abandon, closeConnections, frame, post, writeRaw } from './src/wire.ts';

const token = 'person:p1';
const valid = frame(message('fuzz'));

/** Pieces of a request body: frames with any flags, and lengths that are right, wrong or huge. */
const anyFrame = fc
  .record({
    flags: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(0, 1, 0x80, 0x81) },
      { weight: 1, arbitrary: fc.nat({ max: 255 }) },
    ),
    content: fc.oneof(fc.constant(message('fuzz')), fc.uint8Array({ maxLength: 60 })),
    length: fc.option(fc.constantFrom(0, 1, 7, 65_536, 65_537, 2 ** 24, 2 ** 31, 2 ** 32 - 1), { freq: 3 }),
  })
  .map(({ flags, content, length }) => {
    const bytes = frame(content, flags);
    if (length !== null) bytes.writeUInt32BE(length, 1);
    return bytes;
  });
const anyBody = fc
  .tuple(fc.array(anyFrame, { maxLength: 3 }), fc.uint8Array({ maxLength: 6 }))
  .map(([frames, rest]) => Buffer.concat([...frames, rest]));

describe('bytes of any order', () => {
  let bench: Bench;
  let server: WebServer;
  let http2: WebServer;
  let grpc: ReturnType<typeof createGrpcServer>;
  let atFirst: number;
  const watch = watchProcess();

  before(async () => {
    bench = createBench(echo);
    const common = { ...bench, host: '127.0.0.1', port: 0, headersTimeoutMs: 300, requestTimeoutMs: 500 };
    server = createWebServer(common);
    http2 = createWebServer({ ...common, cleartextHttp2: true, keepAliveTimeoutMs: 300 });
    grpc = createGrpcServer({ ...common, keepaliveMs: 300, keepaliveTimeoutMs: 300 });
    for (const one of [server, http2, grpc]) await one.start();
    await works();
    atFirst = await alive();
  });
  after(async () => {
    closeConnections();
    await Promise.all([server, http2, grpc].map(one => one?.stop()));
  });

  const works = async () => {
    assert.equal((await post(server.port, send, valid, { token })).status, 0);
    for (const { port } of [http2, grpc]) {
      const channel = createGrpcChannel({ target: `127.0.0.1:${port}`, serviceTokens: () => 'service:session' });
      await channel.ready(5000);
      channel.close();
    }
  };
  const failures = () => bench.lines.filter(line => line.level === 'error');

  async function judge(body: Uint8Array, headers: Record<string, string> = {}): Promise<void> {
    const answer = await post(server.port, send, body, { token, headers });
    assert.equal(answer.closed, false, 'small bodies are answered');
    if (answer.status !== 0) {
      assert.ok(Object.hasOwn(rpcErrors.catalogue, answer.code ?? ''), `${answer.status} ${answer.code}`);
      assert.notEqual(answer.code, 'rpc.internal');
    }
    assert.deepEqual(failures(), []);
  }

  it('as frames are answered with a documented refusal', () =>
    fc.assert(
      fc.asyncProperty(anyBody, body => judge(body)),
      runs(250),
    ));

  it('as base64 are answered with a documented refusal', async () => {
    const text = { 'content-type': 'application/grpc-web-text' };
    const whole = anyBody.map(body => Buffer.from(body.toString('base64')));
    const pieces = fc
      .array(anyFrame, { maxLength: 4 })
      .map(some => Buffer.from(some.map(b => b.toString('base64')).join('')));
    const any = fc.oneof(
      whole,
      pieces,
      damaged(whole),
      fc.base64String().map(s => Buffer.from(s)),
    );
    await fc.assert(
      fc.asyncProperty(any, body => judge(body, text)),
      runs(200),
    );
  });

  it('give the same answers wherever they are cut', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 2000 }), { maxLength: 12 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 3 }),
        async (cuts, chunked, n) => {
          const head = webHead(send, valid.length);
          const body = chunked
            ? Buffer.from(`${valid.length.toString(16)}\r\n${valid.toString('latin1')}\r\n0\r\n\r\n`, 'latin1')
            : valid;
          const line = chunked ? head.replace(/content-length: \d+/, 'transfer-encoding: chunked') : head;
          const bytes = Buffer.concat(Array.from({ length: n }, () => Buffer.concat([Buffer.from(line), body])));
          const at = [...new Set(cuts.map(cut => cut % bytes.length))].sort((a, b) => a - b);
          const pieces = [...at, bytes.length].map((end, i) => bytes.subarray(at[i - 1] ?? 0, end));
          const received = await writeRaw(server.port, pieces, n);
          assert.equal(received.match(/grpc-status:0/g)?.length, n, received);
        },
      ),
      runs(40),
    ));

  it('as HTTP/1.1 are answered, or the connection is closed', async () => {
    const request = Buffer.concat([
      Buffer.from(webHead(send, valid.length, { 'grpc-timeout': '2S', origin: 'x' })),
      valid,
    ]);
    await fc.assert(
      fc.asyncProperty(damaged(fc.constant(request)), async bytes => {
        await abandon(server.port, bytes);
        assert.deepEqual(failures(), []);
      }),
      runs(150),
    );
    await works();
  });

  for (const [name, port] of [
    ['HTTP/2', () => http2.port],
    ['native gRPC', () => grpc.port],
  ] as const) {
    it(`as ${name} harm nobody`, async () => {
      const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
      const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
      const h2frame = fc
        .record({
          length: fc.oneof(fc.constant(-1), fc.nat({ max: 2 ** 24 - 1 })),
          type: fc.nat({ max: 10 }),
          flags: fc.nat({ max: 255 }),
          stream: fc.constantFrom(0, 1, 1, 3, 2 ** 31 - 1),
          payload: fc.uint8Array({ maxLength: 64 }),
        })
        .map(({ length, type, flags, stream, payload }) => {
          const head = Buffer.alloc(9);
          head.writeUIntBE(length < 0 ? payload.length : length, 0, 3);
          head[3] = type;
          head[4] = flags;
          head.writeUInt32BE(stream, 5);
          return Buffer.concat([head, payload]);
        });
      const connection = fc
        .array(h2frame, { maxLength: 6 })
        .map(frames => Buffer.concat([preface, settings, ...frames]));
      await fc.assert(
        fc.asyncProperty(fc.oneof(connection, damaged(connection)), async bytes => {
          await abandon(port(), bytes);
          assert.deepEqual(failures(), []);
        }),
        runs(150),
      );
      await works();
    });
  }

  it('that announce more than they bring take no memory', async () => {
    const huge = Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
    const request = Buffer.concat([Buffer.from(webHead(send, 2 ** 31)), huge]);
    const rss = process.memoryUsage.rss();
    let most = rss;
    const look = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5);
    try {
      await Promise.all(Array.from({ length: 200 }, () => abandon(server.port, request)));
    } finally {
      clearInterval(look);
    }
    // one of them announces 2 GiB, and a frame of 4 GiB in it
    const grown = (most - rss) / 2 ** 20;
    assert.ok(grown < 256, `${grown.toFixed(0)} MiB while they were open`);
    await works();
  });

  it('leave nothing behind', async () => {
    const grown = ((await alive()) - atFirst) / 2 ** 20;
    assert.ok(grown < 25, `${grown.toFixed(1)} MiB more are alive`);
    assert.deepEqual(failures(), []);
    watch.done();
  });
});
