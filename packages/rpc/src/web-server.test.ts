import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { SendMessageRequestSchema } from '@parley/contracts/im/v1/im';
import { createTokenBuckets } from './rate-limiter.ts';
import { aborted, createBench, gate, type Handlers } from './testing/harness.ts';
import { RawConnection, webFrame, webHead } from './testing/http.ts';
import { echo, eventId, exchange, message, refusal, send, using } from './testing/web.ts';
import { createWebServer } from './web-server.ts';

/** Unknown groups inside each other. */
function nested(depth: number): Uint8Array {
  return Buffer.concat([Buffer.alloc(depth, 0x7b), Buffer.alloc(depth, 0x7c)]);
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
    ['no body', new Uint8Array(), 'rpc.not_one_message', 12],
    ['half a prefix', new Uint8Array(3), 'rpc.malformed', 3],
    ['less than it announces', webFrame(message()).subarray(0, 8), 'rpc.malformed', 3],
    ['two messages', Buffer.concat([webFrame(message()), webFrame(message())]), 'rpc.not_one_message', 12],
    ['trailers', webFrame(Buffer.from('a:b\r\n'), 0x80), 'rpc.malformed', 3],
    [
      'a message and trailers',
      Buffer.concat([webFrame(message()), webFrame(new Uint8Array(), 0x80)]),
      'rpc.malformed',
      3,
    ],
    [
      'half a second message',
      Buffer.concat([webFrame(message()), webFrame(message()).subarray(0, 6)]),
      'rpc.malformed',
      3,
    ],
    ['a message marked as compressed', webFrame(message(), 1), 'rpc.unexpected_compression', 13],
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

  it('refuses every compression, says which it accepts, and goes on', async () => {
    await using(echo, async ({ open }) => {
      const connection = await open();
      for (const encoding of ['gzip', 'br', 'snappy', '']) {
        const response = await exchange(connection, webFrame(message(), 1), { 'grpc-encoding': encoding });
        assert.deepEqual([refusal(response).code, refusal(response).status], ['rpc.unsupported_encoding', 12]);
        assert.equal(response.headers.get('grpc-accept-encoding'), 'identity');
      }
      const plain = await exchange(connection, webFrame(message()), { 'grpc-encoding': 'identity' });
      assert.equal(eventId(plain), 'm1');
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

describe('a listener that stops', () => {
  it('answers what is under way, refuses what comes after, and waits for nobody else', async () => {
    const started = gate();
    const finish = gate();
    const sendMessage: NonNullable<Handlers['im']>['sendMessage'] = async () => {
      started.resolve();
      await finish.promise;
      return { eventId: 'last' };
    };
    const bench = createBench({ im: { sendMessage }, auth: { getKeySet: async () => ({}) } });
    const server = createWebServer({ ...bench, host: '127.0.0.1', port: 0 });
    await server.start();
    const [busy, used, silent, half] = await Promise.all([1, 2, 3, 4].map(() => RawConnection.open(server.port)));
    assert.ok(busy && used && silent && half);
    await exchange(used, webFrame(new Uint8Array()), {}, '/parley.directory.v1.AuthService/GetKeySet');
    half.write('POST /x HTTP/1.1\r\nhost: a\r\n');
    const body = webFrame(message());
    const bytes = Buffer.concat([Buffer.from(webHead(send, body.length)), body]);
    busy.write(bytes);
    await started.promise;
    let stopped = false;
    const { port } = server;
    const stop = server.stop().then(() => {
      stopped = true;
    });
    await used.closed();
    busy.write(bytes);
    await assert.rejects(RawConnection.open(port));
    assert.equal(stopped, false);
    finish.resolve();
    assert.equal(eventId(await busy.response()), 'last');
    assert.equal(refusal(await busy.response()).code, 'rpc.shutting_down');
    await stop;
    await Promise.all([silent.closed(), half.closed(), busy.closed()]);
    assert.equal(
      bench.lines.some(line => line.event === 'rpc.web.stop_forced'),
      false,
    );
  });

  it('cuts calls that do not end in time', async () => {
    const started = gate();
    const sendMessage = () => {
      started.resolve();
      return new Promise<never>(() => {});
    };
    const bench = createBench({ im: { sendMessage } });
    const server = createWebServer({ ...bench, host: '127.0.0.1', port: 0, stopTimeoutMs: 50 });
    await server.start();
    const connection = await RawConnection.open(server.port);
    const body = webFrame(message());
    connection.write(Buffer.concat([Buffer.from(webHead(send, body.length)), body]));
    await started.promise;
    await server.stop();
    await connection.closed();
    assert.deepEqual(
      bench.lines.filter(line => line.event === 'rpc.web.stop_forced').map(line => line.calls),
      [1],
    );
  });
});
