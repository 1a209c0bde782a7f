import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { CallContext } from './context.ts';
import { createGrpcServer } from './grpc-server.ts';
import { type CallMetadata, createCallContext, ParleyError } from './index.ts';
import { ForeignStatus } from './status.ts';
import { createBench, type Handlers } from './testing/harness.ts';
import { readFrames, webFrame, webHead } from './testing/http.ts';
import { connect, exchange, heartbeat, message, send, using } from './testing/web.ts';

/** Answers with fields of its own before and after, and keeps what came. */
function answering(before?: () => void) {
  const seen: CallMetadata['request'][] = [];
  const add = ({ metadata }: CallContext) => {
    seen.push(metadata.request);
    metadata.header('X-Before', 'a, b');
    metadata.header('x-before', 'c');
    metadata.header('x-before-bin', Uint8Array.of(255, 0, 1));
    metadata.trailer('x-after', 'z');
    metadata.trailer('x-after-bin', Uint8Array.of(1));
    before?.();
  };
  const handlers: Handlers = {
    im: {
      sendMessage: async (_, context) => {
        add(context);
        return {};
      },
    },
    session: {
      connect: async (_, context, sink) => {
        add(context);
        sink.sendEncoded(heartbeat);
      },
    },
  };
  return { seen, handlers };
}

const sent = { 'x-mine': 'one', 'x-mine-bin': 'AP8, AQ==', cookie: 'c=1', 'x-parley-person-token': 't' };

function fieldsOf(seen: CallMetadata['request'] | undefined) {
  return seen?.filter(f => f.name.startsWith('x-')).map(f => [f.name, Buffer.from(f.value).toString('hex')]);
}
const expected = [
  ['x-mine', Buffer.from('one').toString('hex')],
  ['x-mine-bin', '00ff'],
  ['x-mine-bin', '01'],
];

describe('metadata', () => {
  it('goes both ways beside a unary call by gRPC-Web, tokens excepted', async () => {
    const { seen, handlers } = answering();
    await using(handlers, async ({ open }) => {
      const response = await exchange(await open(), webFrame(message()), sent);
      assert.deepEqual(fieldsOf(seen[0]), expected);
      assert.equal(JSON.stringify(seen).includes('person:p1'), false);
      assert.equal(response.headers.get('x-before-bin'), '/wAB');
      assert.ok(response.headers.has('x-before'));
      const { trailers } = readFrames(response.body);
      assert.deepEqual(Object.fromEntries(trailers ?? []), { 'grpc-status': '0', 'x-after': 'z', 'x-after-bin': 'AQ' });
    });
  });

  it('goes with the first message and the end of a stream by gRPC-Web', async () => {
    const { seen, handlers } = answering();
    await using(handlers, async ({ open }) => {
      const response = await exchange(await open(), webFrame(new Uint8Array()), sent, connect);
      assert.deepEqual(fieldsOf(seen[0]), expected);
      assert.equal(response.headers.get('x-before-bin'), '/wAB');
      assert.equal(readFrames(response.body).trailers?.get('x-after'), 'z');
    });
  });

  it('goes with a refusal, and pages of other origins may read it', async () => {
    const { handlers } = answering(() => {
      throw new ParleyError('a.b', { kind: 'limit', message: 'm', remedy: '' });
    });
    await using(
      handlers,
      async ({ open }) => {
        const response = await exchange(await open(), webFrame(message()), { origin: 'https://a.example' });
        assert.equal(response.headers.get('grpc-status'), '8');
        assert.equal(response.headers.get('x-after'), 'z');
        assert.match(
          response.headers.get('access-control-expose-headers') ?? '',
          /grpc-status.*x-before, x-before-bin$/,
        );
      },
      { cors: { origins: '*' } },
    );
  });

  it('goes both ways by native gRPC', async () => {
    const { seen, handlers } = answering();
    const bench = createBench(handlers);
    const server = createGrpcServer({ ...bench, host: '127.0.0.1', port: 0 });
    await server.start();
    const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
    try {
      const metadata = new Metadata();
      metadata.set('authorization', 'Bearer person:p1');
      metadata.set('x-mine', 'one');
      metadata.add('x-mine-bin', Buffer.from([0, 255]));
      metadata.add('x-mine-bin', Buffer.from([1]));
      const identity = (bytes: Buffer) => bytes;
      const got: Metadata[] = [];
      await new Promise<void>((resolve, reject) => {
        client
          .makeUnaryRequest(send, identity, identity, Buffer.from(message()), metadata, e =>
            e ? reject(e) : undefined,
          )
          .on('metadata', fields => got.push(fields))
          .on('status', status => {
            got.push(status.metadata);
            resolve();
          });
      });
      const stream = client.makeServerStreamRequest(connect, identity, identity, Buffer.alloc(0), metadata);
      stream.on('metadata', fields => got.push(fields)).on('data', () => {});
      await new Promise<void>(resolve => {
        stream.on('status', status => {
          got.push(status.metadata);
          resolve();
        });
      });
      for (const fields of seen) assert.deepEqual(fieldsOf(fields), expected);
      assert.equal(seen.length, 2);
      for (const before of [got[0], got[2]]) assert.deepEqual(before?.get('x-before-bin'), [Buffer.from([255, 0, 1])]);
      for (const after of [got[1], got[3]]) assert.deepEqual(after?.get('x-after'), ['z']);
    } finally {
      client.close();
      await server.stop();
    }
  });

  for (const [name, value] of [
    ['bad name', 'x'],
    ['', 'x'],
    ['grpc-status', '0'],
    ['content-length', '0'],
    ['authorization', 'x'],
    ['access-control-allow-origin', '*'],
    ['x-a', 'two\r\nlines: b'],
    ['x-a', 'é'],
    ['x-a-bin', 'text'],
    ['x-a', Uint8Array.of(1)],
  ] as const) {
    it(`of a response may not be ${JSON.stringify([name, value])}`, () => {
      assert.throws(() => createCallContext().metadata.header(name, value));
      assert.throws(() => createCallContext().metadata.trailer(name, value));
    });
  }

  it('leaves the status of another server as it is', async () => {
    const status = { code: 11, message: 'out of range', details: Uint8Array.of(8, 11) };
    await using({ im: { sendMessage: () => Promise.reject(new ForeignStatus(status)) } }, async ({ open }) => {
      const { headers } = await exchange(await open(), webFrame(message()));
      assert.deepEqual([headers.get('grpc-status'), headers.get('grpc-message')], ['11', 'out of range']);
      assert.equal(headers.get('grpc-status-details-bin'), 'CAs');
    });
  });

  it('of a request in process is empty', () => assert.deepEqual(createCallContext().metadata.request, []));

  it('is read from the head of a request without what is for the transport', async () => {
    const { seen, handlers } = answering();
    await using(handlers, async ({ open }) => {
      const connection = await open();
      const body = webFrame(message());
      connection.write(Buffer.concat([Buffer.from(webHead(send, body.length, { te: 'trailers' })), body]));
      await connection.response();
      const names = seen[0]?.map(f => f.name);
      assert.deepEqual(names, ['content-type']);
    });
  });
});
