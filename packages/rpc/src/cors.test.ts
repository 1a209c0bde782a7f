import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBench, type Handlers } from './testing/harness.ts';
import { webFrame } from './testing/http.ts';
import { connect, echo, exchange, heartbeat, message, refusal, send, using } from './testing/web.ts';
import { createWebServer } from './web-server.ts';

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
