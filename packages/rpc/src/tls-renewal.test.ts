import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import { describe, it } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { ImService } from '@parley/contracts/im/v1/im';
import { SessionService } from '@parley/contracts/session/v1/session';
import type { TlsMaterial, TlsSource } from '@parley/runtime';
import { createClient } from './channel.ts';
import { createCallContext } from './context.ts';
import { createGrpcChannel } from './grpc-channel.ts';
import { createGrpcServer } from './grpc-server.ts';
import { selfSigned, type TestCertificate } from './testing/certificate.ts';
import { createBench, gate, personPrincipal } from './testing/harness.ts';
import { readFrames, webFrame } from './testing/http.ts';
import { createWebServer } from './web-server.ts';

const connect = '/parley.session.v1.SessionService/Connect';
const fields = { 'content-type': 'application/grpc-web+proto', authorization: 'Bearer person:p1' };
const route = {
  method: 'GET' as const,
  path: '/',
  owner: 'directory',
  authentication: 'none' as const,
  maxRequestBytes: 0,
  cacheControl: 'no-cache',
  handler: async () => ({ status: 200, body: 'page' }),
};

/** A source that a test renews. */
function source(first: TestCertificate, ca?: string): TlsSource & { renew(next: TestCertificate): void } {
  const of = (pair: TestCertificate): TlsMaterial => ({ ...pair, notAfterMs: 0, names: '', ...(ca && { ca }) });
  const listeners = new Set<(material: TlsMaterial) => void>();
  let current = of(first);
  return {
    get current() {
      return current;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    renew(next) {
      current = of(next);
      for (const listener of listeners) listener(current);
    },
  };
}

/** The certificate a new connection is shown, and what of `ca` trusts it. */
async function shown(port: number, ca: string, more: object = {}): Promise<string> {
  const socket = connectTls({ host: 'localhost', port, ca, ...more });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = (socket as TLSSocket).getPeerX509Certificate() ?? { fingerprint256: '' };
  socket.destroy();
  return fingerprint256;
}

describe('a renewed certificate', () => {
  it('is shown to new connections of the public port, while open streams go on', async () => {
    const [old, fresh] = [selfSigned(), selfSigned()];
    const tls = source(old);
    const go = gate();
    const bench = createBench({
      session: {
        connect: async (_, __, sink) => {
          sink.send({ event: { case: 'heartbeat', value: {} } });
          await go.promise;
          sink.send({ event: { case: 'heartbeat', value: {} } });
        },
      },
    });
    const server = createWebServer({ ...bench, host: '127.0.0.1', port: 0, tls, hstsSeconds: 600, routes: [route] });
    await server.start();
    const session = connectHttp2(`https://localhost:${server.port}`, { ca: old.cert });
    const h2 = session.request({ ...fields, ':method': 'POST', ':path': connect });
    h2.end(webFrame(new Uint8Array()));
    const agent = new Agent({ keepAlive: true, ca: old.cert });
    const target = { host: 'localhost', port: server.port, agent };
    const h1 = httpsRequest({ ...target, method: 'POST', path: connect, headers: fields });
    h1.end(webFrame(new Uint8Array()));
    const [response] = await once(h1, 'response');
    const pieces: Buffer[][] = [[], []];
    h2.on('data', (piece: Buffer) => pieces[0]?.push(piece));
    response.on('data', (piece: Buffer) => pieces[1]?.push(piece));
    await Promise.all([once(h2, 'data'), once(response, 'data')]);

    const before = await shown(server.port, old.cert);
    tls.renew(fresh);
    const after = await shown(server.port, fresh.cert);
    assert.notEqual(before, after);
    await assert.rejects(shown(server.port, old.cert), /self-signed|unable to verify/);
    await assert.rejects(
      shown(server.port, fresh.cert, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    );

    go.resolve();
    await Promise.all([once(h2, 'end'), once(response, 'end')]);
    for (const one of pieces) assert.equal(readFrames(Buffer.concat(one)).messages.length, 2);

    const page = httpsRequest({ ...target, path: '/', ca: fresh.cert });
    page.end();
    const [answer] = await once(page, 'response');
    assert.equal(answer.headers['strict-transport-security'], 'max-age=600');
    answer.resume();
    await once(answer, 'end');
    // both clients keep their connections: the server must be able to stop all the same
    await server.stop();
    session.destroy();
    agent.destroy();
  });

  it('does not keep the public port from stopping: connections end with the call under way', async () => {
    const pair = selfSigned();
    const [begun, go] = [gate(), gate()];
    const bench = createBench({
      im: {
        async sendMessage() {
          begun.resolve();
          await go.promise;
          return { eventId: 'e' };
        },
      },
    });
    const server = createWebServer({ ...bench, host: '127.0.0.1', port: 0, tls: pair, stopTimeoutMs: 60_000 });
    await server.start();
    const agent = new Agent({ keepAlive: true, ca: pair.cert });
    const path = '/parley.im.v1.ImService/SendMessage';
    const call = httpsRequest({ host: 'localhost', port: server.port, agent, method: 'POST', path, headers: fields });
    call.end(webFrame(new Uint8Array()));
    await begun.promise;
    const stopped = server.stop();
    go.resolve();
    const [response] = await once(call, 'response');
    const pieces: Buffer[] = [];
    response.on('data', (piece: Buffer) => pieces.push(piece));
    await once(response, 'end');
    assert.equal(readFrames(Buffer.concat(pieces)).messages.length, 1);
    await stopped;
    agent.destroy();
  });

  it('is shown to new connections of the gRPC port, while open streams go on', async () => {
    const [old, fresh] = [selfSigned(), selfSigned()];
    const tls = source(old);
    const go = gate();
    const bench = createBench({
      im: { sendMessage: async () => ({ eventId: 'e' }) },
      session: {
        connect: async (_, __, sink) => {
          sink.send({ event: { case: 'heartbeat', value: {} } });
          await go.promise;
          sink.send({ event: { case: 'heartbeat', value: {} } });
        },
      },
    });
    const server = createGrpcServer({ ...bench, host: '127.0.0.1', port: 0, tls });
    await server.start();
    const target = `localhost:${server.port}`;
    const context = createCallContext({ principal: personPrincipal('person:p1'), token: 'person:p1' });
    const serviceTokens = () => 'service:session';
    const early = createGrpcChannel({ target, serviceTokens, tls: { ca: old.cert } });
    const stream = createClient(SessionService, early).connect({}, { context })[Symbol.asyncIterator]();
    assert.equal((await stream.next()).done, false);
    tls.renew(fresh);
    const late = createGrpcChannel({ target, serviceTokens, tls: { ca: fresh.cert } });
    assert.equal((await createClient(ImService, late).sendMessage({}, { context })).eventId, 'e');
    go.resolve();
    assert.equal((await stream.next()).done, false);
    assert.equal((await stream.next()).done, true);
    late.close();
    early.close();
    await server.stop();
  });

  it('of a calling service is shown from the next connection on', async () => {
    const [server, stranger, known] = [selfSigned(), selfSigned(), selfSigned()];
    const bench = createBench({ im: { sendMessage: async () => ({ eventId: 'e' }) } });
    const grpc = createGrpcServer({ ...bench, host: '127.0.0.1', port: 0, tls: { ...server, clientCa: known.cert } });
    await grpc.start();
    const tls = source(stranger, server.cert);
    const options = { target: `localhost:${grpc.port}`, serviceTokens: () => 'service:session', maxReconnectMs: 100 };
    const channel = createGrpcChannel({ ...options, tls });
    const context = createCallContext({ principal: personPrincipal('person:p1'), token: 'person:p1' });
    const call = () => createClient(ImService, channel).sendMessage({}, { context, timeoutMs: 5_000 });
    await assert.rejects(call());
    tls.renew(known);
    await channel.ready(5_000);
    assert.equal((await call()).eventId, 'e');
    channel.close();
    await grpc.stop();
  });
});
