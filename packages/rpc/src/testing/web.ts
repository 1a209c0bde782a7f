import assert from 'node:assert/strict';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ErrorInfoSchema, StatusSchema } from '@parley/contracts';
import { SendMessageRequestSchema, SendMessageResponseSchema } from '@parley/contracts/im/v1/im';
import { createWebServer, type WebServer, type WebServerOptions } from '../web-server.ts';
import { type Bench, createBench, type Handlers } from './harness.ts';
import { RawConnection, type RawResponse, readFrames, webHead } from './http.ts';

/** Path of a unary method. */
export const send = '/parley.im.v1.ImService/SendMessage';
/** Path of a streaming method. */
export const connect = '/parley.session.v1.SessionService/Connect';
/** Answers with the id of the message. */
export const echo: Handlers = { im: { sendMessage: async request => ({ eventId: request.messageId }) } };
/** SessionEvent { heartbeat: {} }, encoded. */
export const heartbeat = new Uint8Array([0x12, 0x00]);

/** An encoded SendMessageRequest. */
export function message(messageId = 'm1'): Uint8Array {
  return toBinary(SendMessageRequestSchema, create(SendMessageRequestSchema, { messageId }));
}

/** Runs `test` against a listener of its own. */
export async function using(
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
export function refusal(response: RawResponse): { status: number; code: string; requestId: string } {
  assert.equal(response.status, 200);
  assert.equal(response.body.length, 0);
  const details = Buffer.from(response.headers.get('grpc-status-details-bin') ?? '', 'base64');
  const [detail] = fromBinary(StatusSchema, details).details;
  assert.equal(detail?.typeUrl, 'type.googleapis.com/parley.common.v1.ErrorInfo');
  const info = fromBinary(ErrorInfoSchema, detail.value);
  return { status: Number(response.headers.get('grpc-status')), code: info.code, requestId: info.requestId };
}

/** Sends a request and waits for its response. */
export async function exchange(
  connection: RawConnection,
  body: Uint8Array,
  fields: Record<string, string> = {},
  path = send,
) {
  connection.write(Buffer.concat([Buffer.from(webHead(path, body.length, fields)), body]));
  return connection.response();
}

/** Event id of a SendMessageResponse. */
export function eventId(response: RawResponse): string {
  const text = response.headers.get('content-type')?.includes('text');
  const { messages, trailers } = readFrames(text ? Buffer.from(response.body.toString(), 'base64') : response.body);
  assert.equal(trailers?.get('grpc-status'), '0');
  assert.equal(messages.length, 1);
  return fromBinary(SendMessageResponseSchema, messages[0] as Buffer).eventId;
}
