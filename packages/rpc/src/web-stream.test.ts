import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { describe, it } from 'node:test';
import { aborted, createBench, gate, type Handlers } from './testing/harness.ts';
import { RawConnection, readFrames, webFrame, webHead } from './testing/http.ts';
import { connect, echo, eventId, heartbeat, message, send, using } from './testing/web.ts';
import { createWebServer } from './web-server.ts';

describe('streams by gRPC-Web', () => {
  /** A stream that sends what the test pushes. */
  function source() {
    const opened = gate<Parameters<NonNullable<NonNullable<Handlers['session']>['connect']>>>();
    const finish = gate();
    const ended = gate<unknown>();
    const connectImpl: NonNullable<Handlers['session']>['connect'] = async (...args) => {
      opened.resolve(args);
      const reason = await Promise.race([finish.promise, aborted(args[1].signal)]);
      ended.resolve(reason);
    };
    return {
      handlers: { session: { connect: connectImpl } },
      opened: opened.promise,
      finish: finish.resolve,
      ended: ended.promise,
    };
  }
  const head = webHead(connect, 5);
  const request = Buffer.concat([Buffer.from(head), webFrame(new Uint8Array())]);

  it('send what is queued in one turn as one chunk, and trailers at the end', async () => {
    const s = source();
    await using(s.handlers, async ({ open }) => {
      const connection = await open();
      connection.write(request);
      const [, , sink] = await s.opened;
      for (let i = 0; i < 3; i++) sink.sendEncoded(heartbeat);
      await connection.until(received => received.includes('\r\n\r\n15\r\n'));
      sink.sendEncoded(heartbeat);
      s.finish();
      const response = await connection.response();
      assert.equal(response.headers.get('content-type'), 'application/grpc-web+proto');
      assert.match(response.headers.get('date') ?? '', /GMT$/);
      const { messages, trailers } = readFrames(response.body);
      assert.equal(messages.length, 4);
      assert.deepEqual([...(trailers ?? [])], [['grpc-status', '0']]);
      await connection.closed();
    });
  });

  it('are base64 for those who ask for it', async () => {
    const s = source();
    await using(s.handlers, async ({ open }) => {
      const connection = await open();
      connection.write(
        webHead(connect, 8, { 'content-type': 'application/grpc-web-text' }) +
          webFrame(new Uint8Array()).toString('base64'),
      );
      const [, , sink] = await s.opened;
      sink.sendEncoded(heartbeat);
      await connection.until(received => received.includes(webFrame(heartbeat).toString('base64')));
      s.finish();
      const { body } = await connection.response();
      const bytes = Buffer.concat((body.toString().match(/[^=]+=*/g) ?? []).map(piece => Buffer.from(piece, 'base64')));
      assert.equal(readFrames(bytes).messages.length, 1);
      assert.equal(readFrames(bytes).trailers?.get('grpc-status'), '0');
    });
  });

  it('end when the client closes its connection, or only its half', async () => {
    for (const close of ['close', 'half'] as const) {
      const s = source();
      await using(s.handlers, async ({ open }) => {
        const connection = await open();
        connection.write(request);
        const [, , sink] = await s.opened;
        sink.sendEncoded(heartbeat);
        await connection.until(received => received.includes(webFrame(heartbeat)));
        if (close === 'close') connection.close();
        else connection.socket.end();
        assert.equal(((await s.ended) as { code: string }).code, 'rpc.cancelled');
      });
    }
  });

  it('do not mind what the client sends after its request', async () => {
    const s = source();
    await using(s.handlers, async ({ open }) => {
      const connection = await open();
      connection.write(request);
      const [, , sink] = await s.opened;
      sink.sendEncoded(heartbeat);
      await connection.until(received => received.includes(webFrame(heartbeat)));
      connection.write(request);
      sink.sendEncoded(heartbeat);
      s.finish();
      assert.equal(readFrames((await connection.response()).body).messages.length, 2);
      await connection.closed();
    });
  });

  it('work for a request that was sent before the answer to the one before it', async () => {
    const s = source();
    await using({ ...echo, ...s.handlers }, async ({ open }) => {
      const connection = await open();
      const body = webFrame(message('first'));
      connection.write(Buffer.concat([Buffer.from(webHead(send, body.length)), body, request]));
      const [, , sink] = await s.opened;
      sink.sendEncoded(heartbeat);
      s.finish();
      assert.equal(eventId(await connection.response()), 'first');
      assert.equal(readFrames((await connection.response()).body).messages.length, 1);
    });
  });

  it('tell what a slow reader has not taken, and are broken off past the limit', async () => {
    const s = source();
    await using(
      s.handlers,
      async ({ open, bench }) => {
        const connection = await open();
        connection.socket.pause();
        connection.write(request);
        const [, context, sink] = await s.opened;
        const big = new Uint8Array(256 * 1024);
        let most = 0;
        while (!context.signal.aborted) {
          sink.sendEncoded(big);
          most = Math.max(most, sink.queuedBytes);
          await new Promise(resolve => setImmediate(resolve));
        }
        assert.equal(((await s.ended) as { code: string }).code, 'rpc.slow_reader');
        assert.ok(most > 1024 * 1024 && most < 3 * 1024 * 1024, String(most));
        connection.socket.resume();
        await connection.closed();
        assert.match(await bench.metrics.render(), /method="Connect",status="RESOURCE_EXHAUSTED"\} 1/);
      },
      { maxQueuedBytes: 2 * 1024 * 1024 },
    );
  });

  it('call back when a slow reader has taken everything', async () => {
    const s = source();
    await using(s.handlers, async ({ open }) => {
      const connection = await open();
      connection.socket.pause();
      connection.write(request);
      const [, , sink] = await s.opened;
      const drained = gate();
      const big = new Uint8Array(1024 * 1024);
      for (let i = 0; i < 6; i++) {
        sink.sendEncoded(big);
        await new Promise(resolve => setImmediate(resolve));
      }
      assert.ok(sink.queuedBytes > 0);
      sink.onDrain(() => drained.resolve());
      connection.socket.resume();
      await drained.promise;
      assert.equal(sink.queuedBytes, 0);
    });
  });

  it('end with a refusal when the server stops', async () => {
    const s = source();
    const bench = createBench(s.handlers);
    const server = createWebServer({ ...bench, host: '127.0.0.1', port: 0 });
    await server.start();
    const connection = await RawConnection.open(server.port);
    connection.write(request);
    const [, , sink] = await s.opened;
    sink.sendEncoded(heartbeat);
    await connection.until(received => received.includes(webFrame(heartbeat)));
    const stopped = server.stop();
    const { trailers } = readFrames((await connection.response()).body);
    assert.equal(trailers?.get('grpc-status'), '14');
    await stopped;
    await connection.closed();
  });

  it('work over HTTP/1.0, without chunks', async () => {
    const s = source();
    await using(s.handlers, async ({ open }) => {
      const connection = await open();
      connection.write(Buffer.concat([Buffer.from(head.replace('HTTP/1.1', 'HTTP/1.0')), webFrame(new Uint8Array())]));
      const [, , sink] = await s.opened;
      sink.sendEncoded(heartbeat);
      await connection.until(received => received.includes(webFrame(heartbeat)));
      s.finish();
      await connection.closed();
      const body = connection.received.subarray(connection.received.indexOf('\r\n\r\n') + 4);
      assert.equal(readFrames(body).trailers?.get('grpc-status'), '0');
    });
  });

  it('work over HTTP/2, many on one connection, beside unary calls', async () => {
    const s = source();
    await using(
      { ...echo, ...s.handlers },
      async ({ server }) => {
        const session = connectHttp2(`http://127.0.0.1:${server.port}`);
        const fields = {
          ':method': 'POST',
          'content-type': 'application/grpc-web+proto',
          authorization: 'Bearer person:p1',
        };
        const stream = session.request({ ...fields, ':path': connect });
        stream.end(webFrame(new Uint8Array()));
        const pieces: Buffer[] = [];
        stream.on('data', piece => pieces.push(piece));
        const [, , sink] = await s.opened;
        sink.sendEncoded(heartbeat);
        const unary = session.request({ ...fields, ':path': send });
        unary.end(webFrame(message('h2')));
        const answer: Buffer[] = [];
        unary.on('data', piece => answer.push(piece));
        await once(unary, 'end');
        assert.equal(readFrames(Buffer.concat(answer)).trailers?.get('grpc-status'), '0');
        s.finish();
        await once(stream, 'end');
        const { messages, trailers } = readFrames(Buffer.concat(pieces));
        assert.deepEqual([messages.length, trailers?.get('grpc-status')], [1, '0']);
        session.close();
      },
      { cleartextHttp2: true },
    );
  });

  it('over HTTP/2 end when the client resets them', async () => {
    const s = source();
    await using(
      s.handlers,
      async ({ server }) => {
        const session = connectHttp2(`http://127.0.0.1:${server.port}`);
        const stream = session.request({
          ':method': 'POST',
          ':path': connect,
          'content-type': 'application/grpc-web+proto',
          authorization: 'Bearer person:p1',
        });
        stream.on('error', () => {});
        stream.end(webFrame(new Uint8Array()));
        const [, , sink] = await s.opened;
        sink.sendEncoded(heartbeat);
        await once(stream, 'data');
        stream.close(8);
        assert.equal(((await s.ended) as { code: string }).code, 'rpc.cancelled');
        session.close();
      },
      { cleartextHttp2: true },
    );
  });
});
