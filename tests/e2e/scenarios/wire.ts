import assert from 'node:assert/strict';
import { connect as tcp } from 'node:net';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ErrorInfoSchema, StatusSchema } from '@parley/contracts';
import { SendMessageRequestSchema } from '@parley/contracts/im/v1/im';
import { until } from '@parley/testkit';
import { receives, type Scenario } from '../scenario.ts';

const frame = (body: Uint8Array, flags = 0) => {
  const out = new Uint8Array(5 + body.length);
  out[0] = flags;
  new DataView(out.buffer).setUint32(1, body.length);
  out.set(body, 5);
  return out;
};

export const wire: Scenario = {
  name: 'wrong framing, bad tokens, spent deadlines, unknown methods and slow readers are each answered and harm nobody',
  async run(world) {
    const pia = await world.person('Pia');
    const quinn = await world.person('Quinn');
    const piaDesk = await world.device(pia);
    const { url } = world.parley;
    const send = '/parley.im.v1.ImService/SendMessage';
    const token = await tokenOf(world, pia);
    const message = () =>
      toBinary(
        SendMessageRequestSchema,
        create(SendMessageRequestSchema, {
          messageId: crypto.randomUUID(),
          recipientId: quinn.id,
          content: { text: 'raw' },
        }),
      );
    const post = async (path: string, body: Uint8Array, headers: Record<string, string> = {}) => {
      const response = await fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1', ...headers },
        body: body as Uint8Array<ArrayBuffer>,
      });
      const bytes = new Uint8Array(await response.arrayBuffer());
      return { http: response.status, ...statusOf(response.headers, bytes) };
    };
    const bearer = { authorization: `Bearer ${token}` };

    assert.equal((await post(send, frame(message()), bearer)).status, 0);
    assert.equal((await post(send, frame(message()))).code, 'rpc.unauthenticated');
    assert.equal((await post(send, frame(message()), { authorization: 'Bearer x.y.z' })).status, 16);
    assert.equal(
      (await post(send, frame(message()), { authorization: `Bearer ${token.slice(0, -6)}AAAAAA` })).status,
      16,
    );
    assert.equal((await post(send, frame(message()), { authorization: `Bearer ${'a'.repeat(9_000)}` })).status, 16);
    assert.equal((await post('/parley.im.v1.ImService/Nothing', frame(message()), bearer)).status, 12);
    const internal = '/parley.presence.v1.PresenceInternalService/Resolve';
    assert.deepEqual(
      await post(internal, frame(new Uint8Array()), bearer),
      { http: 200, status: 12, code: 'rpc.unknown_method' },
      'internal services are not there',
    );
    const malformed = { http: 200, status: 3, code: 'rpc.malformed' };
    assert.deepEqual(await post(send, message(), bearer), malformed, 'no frame');
    assert.deepEqual(await post(send, frame(message()).subarray(0, 9), bearer), malformed, 'half a frame');
    const compressed = { http: 200, status: 13, code: 'rpc.unexpected_compression' };
    assert.deepEqual(await post(send, frame(message(), 1), bearer), compressed, 'claims compression');
    assert.deepEqual(await post(send, frame(new Uint8Array([0xff, 0xff, 0xff])), bearer), malformed, 'no protobuf');
    assert.equal((await post(send, frame(new Uint8Array(200_000)), bearer)).code, 'rpc.request_too_large');
    assert.equal((await post(send, frame(message()), { ...bearer, 'grpc-timeout': '1n' })).status, 4, 'spent deadline');
    const wrongType = await fetch(url + send, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    assert.equal(wrongType.status, 415);
    await wrongType.arrayBuffer();

    // somebody who opens a stream and never reads does not hold up the others
    const slow = await neverReads(url, token);
    const quinnDesk = await world.device(quinn);
    const texts = Array.from({ length: 40 }, (_, i) => `${i} ${'.'.repeat(4_000)}`);
    for (const text of texts) await quinnDesk.client.send(pia.id, text).acknowledged;
    await receives(piaDesk, ...texts);
    slow.destroy();

    // a peer that sends half a request and falls silent is cut off or ignored; the server still answers
    const half = tcp(Number(new URL(url).port), '127.0.0.1');
    half.on('error', () => undefined);
    half.write(
      `POST ${send} HTTP/1.1\r\nhost: x\r\ncontent-type: application/grpc-web+proto\r\ncontent-length: 1000\r\n\r\nab`,
    );
    assert.equal((await post(send, frame(message()), bearer)).status, 0);
    half.destroy();
    await until('every server process to be ready still', async () =>
      (await Promise.all(world.parley.processes.map(p => p.ready()))).every(Boolean),
    );
  },
};

async function tokenOf(
  world: Parameters<Scenario['run']>[0],
  person: { address: string; password: string },
): Promise<string> {
  let access = '';
  const client = world.client({
    tokens: {
      load: async () => undefined,
      clear: async () => undefined,
      save: async tokens => void (access = tokens.accessToken),
    },
  });
  await client.signIn(person.address, person.password);
  return access;
}

/** gRPC status and catalogue code from headers (trailers-only) or the trailer frame. */
function statusOf(headers: Headers, bytes: Uint8Array): { status: number; code: string } {
  let status = headers.get('grpc-status');
  let details = headers.get('grpc-status-details-bin');
  for (let at = 0; at + 5 <= bytes.length; ) {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(1);
    if ((bytes[at] as number) & 0x80) {
      const text = new TextDecoder().decode(bytes.subarray(at + 5, at + 5 + length));
      status = /grpc-status:\s*(\d+)/i.exec(text)?.[1] ?? status;
      details = /grpc-status-details-bin:\s*(\S+)/i.exec(text)?.[1] ?? details;
    }
    at += 5 + length;
  }
  const detail = details ? fromBinary(StatusSchema, Buffer.from(details, 'base64')).details[0]?.value : undefined;
  return {
    status: status === null ? -1 : Number(status),
    code: detail ? fromBinary(ErrorInfoSchema, detail).code : '',
  };
}

/** Opens a Connect stream on a socket that is never read. */
async function neverReads(url: string, token: string): Promise<import('node:net').Socket> {
  const { ConnectRequestSchema } = await import('@parley/contracts/session/v1/session');
  const body = frame(
    toBinary(
      ConnectRequestSchema,
      create(ConnectRequestSchema, {
        endpointId: 'never-reads-01',
        clientVersion: 'scenario/1.0.0',
        device: 1,
        machineState: 1,
      }),
    ),
  );
  const socket = tcp(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(
    `POST /parley.session.v1.SessionService/Connect HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/grpc-web+proto\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  socket.write(body);
  return socket;
}
