import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { ImService } from '@parley/contracts/im/v1/im';
import { createClient } from './channel.ts';
import { createCallContext } from './context.ts';
import type { ParleyError } from './errors.ts';
import { createGrpcChannel } from './grpc-channel.ts';
import { createGrpcServer } from './grpc-server.ts';
import { selfSigned } from './testing/certificate.ts';
import { createBench, personPrincipal } from './testing/harness.ts';
import { readFrames, webFrame } from './testing/http.ts';
import { createWebServer } from './web-server.ts';

const tls = selfSigned();
const send = '/parley.im.v1.ImService/SendMessage';
const connect = '/parley.session.v1.SessionService/Connect';
const fields = { 'content-type': 'application/grpc-web+proto', authorization: 'Bearer person:p1' };

function bench() {
  return createBench({
    im: { sendMessage: async () => ({ eventId: 'e' }) },
    session: { connect: async (_, __, sink) => sink.send({ event: { case: 'heartbeat', value: {} } }) },
  });
}

describe('over TLS', () => {
  it('browsers get HTTP/2, and HTTP/1.1 when they cannot, for calls and streams', async () => {
    const server = createWebServer({ ...bench(), host: '127.0.0.1', port: 0, tls });
    await server.start();
    const session = connectHttp2(`https://localhost:${server.port}`, { ca: tls.cert });
    for (const path of [send, connect]) {
      const stream = session.request({ ...fields, ':method': 'POST', ':path': path });
      stream.end(webFrame(new Uint8Array()));
      const body = await buffer(stream);
      assert.equal(readFrames(body).trailers?.get('grpc-status'), '0');
      assert.equal(readFrames(body).messages.length, 1);
    }
    for (const path of [send, connect]) {
      const request = httpsRequest({
        host: 'localhost',
        port: server.port,
        ca: tls.cert,
        method: 'POST',
        path,
        headers: fields,
        agent: false,
      });
      request.end(webFrame(new Uint8Array()));
      const [response] = await once(request, 'response');
      const body = await buffer(response);
      assert.equal(readFrames(body).trailers?.get('grpc-status'), '0');
      assert.equal(readFrames(body).messages.length, 1);
    }
    session.close();
    await server.stop();
  });

  it('services show each other certificates, and those without are refused', async () => {
    const test = bench();
    const server = createGrpcServer({ ...test, host: '127.0.0.1', port: 0, tls: { ...tls, clientCa: tls.cert } });
    await server.start();
    const target = `localhost:${server.port}`;
    const context = createCallContext({ principal: personPrincipal('person:p1'), token: 'person:p1' });
    const serviceTokens = () => 'service:session';
    const mutual = createGrpcChannel({ target, serviceTokens, tls: { ca: tls.cert, ...tls } });
    assert.equal((await createClient(ImService, mutual).sendMessage({}, { context })).eventId, 'e');
    const nameless = createGrpcChannel({ target, serviceTokens, tls: { ca: tls.cert } });
    const inClear = createGrpcChannel({ target, serviceTokens });
    for (const channel of [nameless, inClear]) {
      const refused = createClient(ImService, channel).sendMessage({}, { context, timeoutMs: 2000 });
      await assert.rejects(refused, (error: ParleyError) => ['unavailable', 'deadline'].includes(error.kind));
    }
    for (const channel of [mutual, nameless, inClear]) channel.close();
    await server.stop();
  });
});
