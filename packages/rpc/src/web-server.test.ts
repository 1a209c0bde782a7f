import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { describe, it } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ErrorInfoSchema, StatusSchema } from '@parley/contracts';
import { MessageContentSchema, SendMessageRequestSchema, SendMessageResponseSchema } from '@parley/contracts/im/v1/im';
import { createTokenBuckets } from './rate-limiter.ts';
import { aborted, type Bench, createBench, gate, type Handlers } from './testing/harness.ts';
import { RawConnection, type RawResponse, readFrames, webFrame, webHead } from './testing/http.ts';
import { createWebServer, type WebServer, type WebServerOptions } from './web-server.ts';

const send = '/parley.im.v1.ImService/SendMessage';
const connect = '/parley.session.v1.SessionService/Connect';
const echo: Handlers = { im: { sendMessage: async request => ({ eventId: request.messageId }) } };
const heartbeat = new Uint8Array([0x12, 0x00]);

function message(messageId = 'm1'): Uint8Array {
  return toBinary(SendMessageRequestSchema, create(SendMessageRequestSchema, { messageId }));
}

async function using(
  handlers: Handlers,
  test: (t: { server: WebServer; bench: Bench; open(): Promise<RawConnection> }) => Promise<void>,
  options: Partial<WebServerOptions> = {},
  bench = createBench(handlers),
): Promise<void> {
  const server = createWebServer({ ...bench, host: '127.0.0.1', port: 0, ...options });
  await server.start();
  const connections: RawConnection[] = [];
  const open = async () => {
    const connection = await RawConnection.open(server.port);
    connections.push(connection);
    return connection;
  };
  try {
    await test({ server, bench, open });
  } finally {
    for (const connection of connections) connection.close();
    await server.stop();
  }
}

/** Code and status of a trailers-only refusal. */
function refusal(response: RawResponse): { status: number; code: string; requestId: string } {
  assert.equal(response.status, 200);
  assert.equal(response.body.length, 0);
  const details = Buffer.from(response.headers.get('grpc-status-details-bin') ?? '', 'base64');
  const [detail] = fromBinary(StatusSchema, details).details;
  assert.equal(detail?.typeUrl, 'type.googleapis.com/parley.common.v1.ErrorInfo');
  const info = fromBinary(ErrorInfoSchema, detail.value);
  return { status: Number(response.headers.get('grpc-status')), code: info.code, requestId: info.requestId };
}

async function exchange(connection: RawConnection, body: Uint8Array, fields: Record<string, string> = {}, path = send) {
  connection.write(Buffer.concat([Buffer.from(webHead(path, body.length, fields)), body]));
  return connection.response();
}

function eventId(response: RawResponse): string {
  const text = response.headers.get('content-type')?.includes('text');
  const { messages, trailers } = readFrames(text ? Buffer.from(response.body.toString(), 'base64') : response.body);
  assert.equal(trailers?.get('grpc-status'), '0');
  assert.equal(messages.length, 1);
  return fromBinary(SendMessageResponseSchema, messages[0] as Buffer).eventId;
}

describe('the gRPC-Web listener', () => {
  it('answers several calls on one connection', async () => {
    await using(echo, async ({ open }) => {
      const connection = await open();
      for (const id of ['a', 'b', 'c']) {
        const response = await exchange(connection, webFrame(message(id)));
        assert.equal(response.headers.get('content-type'), 'application/grpc-web+proto');
        assert.equal(eventId(response), id);
      }
    });
  });

  it('puts a request together that comes byte by byte', async () => {
    await using(echo, async ({ open }) => {
      const connection = await open();
      const body = webFrame(message('slow'));
      const bytes = Buffer.concat([Buffer.from(webHead(send, body.length)), body]);
      for (const byte of bytes) {
        connection.write(Uint8Array.of(byte));
        await new Promise(resolve => setImmediate(resolve));
      }
      assert.equal(eventId(await connection.response()), 'slow');
    });
  });

  for (const type of ['application/grpc-web', 'application/grpc-web+proto', 'Application/gRPC-Web+proto; charset=x']) {
    it(`accepts ${type}`, async () => {
      await using(echo, async ({ open }) => {
        assert.equal(eventId(await exchange(await open(), webFrame(message()), { 'content-type': type })), 'm1');
      });
    });
  }

  it('speaks base64, also when it comes in padded pieces', async () => {
    await using(echo, async ({ open }) => {
      const connection = await open();
      const frame = webFrame(message('text'));
      const fields = { 'content-type': 'application/grpc-web-text' };
      const whole = await exchange(connection, Buffer.from(frame.toString('base64')), fields);
      assert.equal(whole.headers.get('content-type'), 'application/grpc-web-text+proto');
      assert.equal(eventId(whole), 'text');
      const pieces = [frame.subarray(0, 1), frame.subarray(1, 5), frame.subarray(5)]
        .map(p => p.toString('base64'))
        .join('');
      assert.equal(eventId(await exchange(connection, Buffer.from(pieces), fields)), 'text');
      const bad = await exchange(connection, Buffer.from(`${frame.toString('base64').slice(0, -1)}!`), fields);
      assert.equal(refusal(bad).code, 'rpc.malformed');
    });
  });

  for (const [what, body, code, status] of [
    ['no body', new Uint8Array(), 'rpc.malformed', 3],
    ['half a prefix', new Uint8Array(3), 'rpc.malformed', 3],
    ['less than it announces', webFrame(message()).subarray(0, 8), 'rpc.malformed', 3],
    ['two messages', Buffer.concat([webFrame(message()), webFrame(message())]), 'rpc.malformed', 3],
    ['trailers', webFrame(Buffer.from('a:b\r\n'), 0x80), 'rpc.malformed', 3],
    [
      'a message and trailers',
      Buffer.concat([webFrame(message()), webFrame(new Uint8Array(), 0x80)]),
      'rpc.malformed',
      3,
    ],
    ['a compressed message', webFrame(message(), 1), 'rpc.unsupported_encoding', 12],
    ['unknown flags', webFrame(message(), 2), 'rpc.malformed', 3],
    ['something that is not the message', webFrame(Buffer.from([0x0a, 0xff, 0x01])), 'rpc.malformed', 3],
    ['text that is not UTF-8', webFrame(Buffer.from([0x0a, 0x02, 0xff, 0xfe])), 'rpc.malformed', 3],
    ['a length beyond the limit', Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]), 'rpc.request_too_large', 8],
    ['a message nested too deep', webFrame(nested(200)), 'rpc.too_deep', 8],
  ] as const) {
    it(`refuses a request with ${what}, and goes on`, async () => {
      await using(echo, async ({ open }) => {
        const connection = await open();
        const refused = refusal(await exchange(connection, body));
        assert.deepEqual([refused.code, refused.status], [code, status]);
        assert.match(refused.requestId, /./);
        assert.equal(eventId(await exchange(connection, webFrame(message('after')))), 'after');
      });
    });
  }

  it('refuses a body beyond the limit of the method, and goes on', async () => {
    await using(echo, async ({ open }) => {
      const connection = await open();
      const text = 'x'.repeat(65_600);
      const big = toBinary(SendMessageRequestSchema, create(SendMessageRequestSchema, { messageId: text }));
      assert.equal(refusal(await exchange(connection, webFrame(big))).code, 'rpc.request_too_large');
      assert.equal(eventId(await exchange(connection, webFrame(message('after')))), 'after');
    });
  });

  it('cuts a connection whose body does not end', async () => {
    await using(echo, async ({ open }) => {
      const connection = await open();
      connection.write(webHead(send, 1_000_000_000));
      const piece = new Uint8Array(65_536);
      for (let i = 0; i < 40; i++) connection.write(piece);
      await connection.closed();
    });
  });

  it('refuses other content types, compressed bodies and other HTTP methods', async () => {
    await using(echo, async ({ open }) => {
      const connection = await open();
      for (const fields of [
        { 'content-type': 'application/json' },
        { 'content-type': 'application/grpc' },
        { 'content-encoding': 'gzip' },
      ]) {
        const response = await exchange(connection, webFrame(message()), fields as never);
        assert.equal(response.status, 415);
        assert.equal(JSON.parse(response.body.toString()).code, 'rpc.unsupported_content_type');
      }
      connection.write(`GET ${send} HTTP/1.1\r\nhost: a\r\n\r\n`);
      const got = await connection.response();
      assert.deepEqual([got.status, got.headers.get('allow')], [405, 'POST, OPTIONS']);
    });
  });

  it('knows no methods of services here, whoever asks, and none that do not exist', async () => {
    await using(echo, async ({ open }) => {
      const connection = await open();
      for (const path of [
        '/parley.directory.v1.DirectoryInternalService/GetPrincipals',
        '/parley.im.v1.ImService/Nothing',
        '/a.B/C',
      ]) {
        const response = await exchange(connection, webFrame(message()), { authorization: 'Bearer service:im' }, path);
        assert.deepEqual([refusal(response).code, refusal(response).status], ['rpc.unknown_method', 12]);
      }
    });
  });

  it('takes no forwarded person from outside', async () => {
    await using(echo, async ({ open }) => {
      const fields = { authorization: 'Bearer service:im', 'x-parley-person-token': 'person:p1' };
      assert.equal(refusal(await exchange(await open(), webFrame(message()), fields)).code, 'rpc.unauthenticated');
    });
  });

  it('says when a token is missing or has expired', async () => {
    await using(echo, async ({ open }) => {
      const connection = await open();
      for (const [authorization, code] of [
        ['', 'rpc.unauthenticated'],
        ['Basic person:p1', 'rpc.unauthenticated'],
        ['Bearer expired:', 'rpc.token_expired'],
      ] as const) {
        const refused = refusal(await exchange(connection, webFrame(message()), { authorization }));
        assert.deepEqual([refused.code, refused.status], [code, 16]);
      }
      assert.equal(
        eventId(await exchange(connection, webFrame(message()), { authorization: 'bearer person:p1' })),
        'm1',
      );
    });
  });

  for (const timeout of ['', 'soon', '10', '-1S', '123456789m', '1x']) {
    it(`refuses the timeout '${timeout}'`, async () => {
      await using(echo, async ({ open }) => {
        const response = await exchange(await open(), webFrame(message()), { 'grpc-timeout': timeout });
        assert.equal(refusal(response).code, 'rpc.invalid_deadline');
      });
    });
  }

  it('refuses at once when the deadline has passed', async () => {
    await using(echo, async ({ open }) => {
      const response = await exchange(await open(), webFrame(message()), { 'grpc-timeout': '0n' });
      assert.deepEqual([refusal(response).code, refusal(response).status], ['rpc.deadline_exceeded', 4]);
    });
  });

  it('tells the handler when a client hangs up before the answer', async () => {
    const started = gate();
    const ended = gate();
    const sendMessage: NonNullable<Handlers['im']>['sendMessage'] = async (_, context) => {
      started.resolve();
      await aborted(context.signal);
      ended.resolve();
      return {};
    };
    await using({ im: { sendMessage } }, async ({ open, bench }) => {
      const connection = await open();
      const body = webFrame(message());
      connection.write(Buffer.concat([Buffer.from(webHead(send, body.length)), body]));
      await started.promise;
      connection.close();
      await ended.promise;
      assert.match(await bench.metrics.render(), /status="CANCELLED"\} 1/);
    });
  });

  it('keeps calls with a rate limit apart by person, and by address where there is none', async () => {
    let now = 0;
    const clock = { ...createBench({}).clock, monotonic: () => now };
    const limiter = () => createTokenBuckets({ ratePerSecond: 1, burst: 2, clock });
    const signIn = async () => ({});
    const bench = createBench({ ...echo, auth: { signIn } }, { limits: { person: limiter(), peer: limiter() } });
    await using(
      {},
      async ({ open }) => {
        const connection = await open();
        const call = async (who: string) =>
          exchange(connection, webFrame(message()), { authorization: `Bearer person:${who}` });
        await call('p1');
        await call('p1');
        const refused = await call('p1');
        assert.deepEqual([refusal(refused).code, refusal(refused).status], ['rpc.rate_limited', 8]);
        assert.equal(eventId(await call('p2')), 'm1');
        now += 1000;
        assert.equal(eventId(await call('p1')), 'm1');
        const path = '/parley.directory.v1.AuthService/SignIn';
        const codes = [];
        for (let i = 0; i < 3; i++)
          codes.push(
            (await exchange(connection, webFrame(new Uint8Array()), {}, path)).headers.get('grpc-status') ?? '0',
          );
        assert.deepEqual(codes, ['0', '0', '8']);
      },
      {},
      bench,
    );
  });

  it('takes address and request id from a load balancer only when told that there is one', async () => {
    const seen: string[] = [];
    const sendMessage: NonNullable<Handlers['im']>['sendMessage'] = async (_, context) => {
      seen.push(context.peer, context.requestId);
      return {};
    };
    const fields = { 'x-forwarded-for': '6.6.6.6, 10.0.0.7', 'x-request-id': 'abc-1' };
    for (const trustProxy of [true, false]) {
      await using(
        { im: { sendMessage } },
        async ({ open }) => void (await exchange(await open(), webFrame(message()), fields)),
        { trustProxy },
      );
    }
    assert.deepEqual(seen.slice(0, 3), ['10.0.0.7', 'abc-1', '127.0.0.1']);
    assert.notEqual(seen[3], 'abc-1');
  });

  it('closes connections that send their header too slowly', async () => {
    await using(
      echo,
      async ({ open }) => {
        const connection = await open();
        connection.write('POST /x HTTP/1.1\r\nhost: a\r\n');
        await connection.closed();
      },
      { headersTimeoutMs: 50 },
    );
  });

  it('refuses headers that are too large', async () => {
    await using(echo, async ({ open }) => {
      const response = await exchange(await open(), webFrame(message()), { 'x-big': 'x'.repeat(20_000) });
      assert.equal(response.status, 431);
    });
  });
});

/** A MessageContent inside unknown groups, so deep that it must be refused. */
function nested(depth: number): Uint8Array {
  assert.ok(MessageContentSchema);
  return Buffer.concat([Buffer.alloc(depth, 0x7b), Buffer.alloc(depth, 0x7c)]);
}

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

describe('calls from browsers of other origins', () => {
  const preflight = (origin: string) =>
    `OPTIONS ${send} HTTP/1.1\r\nhost: a\r\norigin: ${origin}\r\naccess-control-request-method: POST\r\naccess-control-request-headers: authorization,x-grpc-web\r\n\r\n`;
  const origins = ['https://chat.example'];

  it('are allowed for the origins that are named, and remembered by the browser', async () => {
    await using(
      echo,
      async ({ open }) => {
        const connection = await open();
        connection.write(preflight('https://chat.example'));
        const { status, headers } = await connection.response();
        assert.equal(status, 204);
        assert.equal(headers.get('access-control-allow-origin'), 'https://chat.example');
        assert.equal(headers.get('vary'), 'origin');
        assert.equal(headers.get('access-control-max-age'), '7200');
        assert.match(
          headers.get('access-control-allow-headers') ?? '',
          /authorization.*content-type.*grpc-timeout.*x-grpc-web/,
        );
        const response = await exchange(connection, webFrame(message()), { origin: 'https://chat.example' });
        assert.equal(response.headers.get('access-control-allow-origin'), 'https://chat.example');
        assert.match(response.headers.get('access-control-expose-headers') ?? '', /grpc-status-details-bin/);
        const refused = await exchange(connection, webFrame(message()), {
          origin: 'https://chat.example',
          authorization: '',
        });
        assert.equal(refusal(refused).code, 'rpc.unauthenticated');
        assert.match(refused.headers.get('access-control-expose-headers') ?? '', /grpc-status/);
      },
      { cors: { origins } },
    );
  });

  it('are not allowed for others', async () => {
    await using(
      echo,
      async ({ open }) => {
        const connection = await open();
        connection.write(preflight('https://evil.example'));
        const response = await connection.response();
        assert.equal(response.status, 403);
        assert.equal(response.headers.has('access-control-allow-origin'), false);
        const call = await exchange(connection, webFrame(message()), { origin: 'https://evil.example' });
        assert.equal(call.headers.has('access-control-allow-origin'), false);
      },
      { cors: { origins } },
    );
  });

  it('are allowed for all when it says so', async () => {
    await using(
      echo,
      async ({ open }) => {
        const connection = await open();
        connection.write(preflight('https://any.example'));
        assert.equal((await connection.response()).headers.get('access-control-allow-origin'), '*');
      },
      { cors: { origins: '*' } },
    );
  });

  it('carry the fields on streams as well', async () => {
    const connectImpl: NonNullable<Handlers['session']>['connect'] = async (_, __, sink) => {
      sink.sendEncoded(heartbeat);
      await new Promise(resolve => setImmediate(resolve));
    };
    await using(
      { session: { connect: connectImpl } },
      async ({ open }) => {
        const response = await exchange(
          await open(),
          webFrame(new Uint8Array()),
          { origin: 'https://chat.example' },
          connect,
        );
        assert.equal(response.headers.get('access-control-allow-origin'), 'https://chat.example');
      },
      { cors: { origins } },
    );
  });

  it('cannot be configured with something that is no origin', () => {
    const bench = createBench({});
    const make = (origin: string) => () =>
      createWebServer({ ...bench, host: '127.0.0.1', port: 0, cors: { origins: [origin] } });
    assert.throws(make('https://chat.example/path'));
    assert.throws(make('chat.example'));
  });
});
