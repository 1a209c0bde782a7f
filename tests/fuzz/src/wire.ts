/** Sends bytes as they are and judges what comes back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { fromBinary } from '@bufbuild/protobuf';
import { ErrorInfoSchema, StatusSchema } from '@parley/contracts';

/** What came back: a gRPC status, or only an HTTP one. */
export interface Answer {
  readonly http: number;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly field: string | undefined;
  readonly messages: readonly Uint8Array[];
  /** The server closed the connection without an answer. */
  readonly closed: boolean;
}

const closed: Answer = { http: 0, status: undefined, code: undefined, field: undefined, messages: [], closed: true };

/** A gRPC-Web frame. */
export function frame(bytes: Uint8Array, flags = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

/** Closes the connections that wait for another call. */
export const closeConnections = (): void => agent.destroy();

/** How a call differs from an ordinary one. */
export interface PostOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the call after its first bytes; for streams. */
  readonly firstOnly?: boolean;
}

/** Posts a body and waits for the end of the answer. */
export async function post(port: number, path: string, body: Uint8Array, options: PostOptions = {}): Promise<Answer> {
  const { token, headers = {}, firstOnly = false } = options;
  const sent = request({
    ...{ host: '127.0.0.1', port, path, method: 'POST', agent: firstOnly ? false : agent },
    headers: {
      'content-type': 'application/grpc-web+proto',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
  });
  sent.end(body);
  const response = await once(sent, 'response').then(
    ([first]) => first as IncomingMessage,
    () => undefined,
  );
  // A connection that waited for another call may have been closed in between: clients try again then.
  if (!response) return sent.reusedSocket ? post(port, path, body, options) : closed;
  // What is still written to a connection that the server has closed after its answer.
  sent.on('error', () => {});
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk);
    if (firstOnly) break;
  }
  if (firstOnly) sent.destroy();
  return judge(response, Buffer.concat(chunks));
}

function judge(response: IncomingMessage, raw: Buffer): Answer {
  const http = response.statusCode as number;
  const type = String(response.headers['content-type'] ?? '');
  if (!type.startsWith('application/grpc-web')) {
    return { http, status: undefined, code: undefined, field: undefined, messages: [], closed: false };
  }
  assert.equal(http, 200);
  const text = type.includes('-text');
  const bytes = text ? Buffer.concat((raw.toString().match(/[^=]+=*/g) ?? []).map(p => Buffer.from(p, 'base64'))) : raw;
  const messages: Buffer[] = [];
  let fields = new Map(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 1);
    const content = bytes.subarray(at + 5, at + 5 + length);
    assert.equal(content.length, length, 'no frame is cut');
    if (bytes[at] === 0x80) {
      fields = new Map(content.toString('latin1').split('\r\n').filter(Boolean).map(fieldOf));
    } else {
      messages.push(content);
    }
    at += 5 + length;
  }
  const status = fields.has('grpc-status') ? Number(fields.get('grpc-status')) : undefined;
  const details = fields.get('grpc-status-details-bin');
  const [detail] = details ? fromBinary(StatusSchema, Buffer.from(details, 'base64')).details : [];
  const info = detail && fromBinary(ErrorInfoSchema, detail.value);
  return { http, status, code: info?.code, field: info?.field, messages, closed: false };
}

function fieldOf(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1)];
}

/**
 * Writes raw bytes in the given pieces, ends its half and waits until the server has answered or closed. Resolves with
 * everything that came.
 */
export async function writeRaw(port: number, pieces: readonly Uint8Array[], untilAnswers = 1): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  let received = '';
  const answered = new Promise<void>(resolve => {
    socket.on('data', chunk => {
      received += chunk.toString('latin1');
      if ((received.match(/HTTP\/1\.1 [1-5]/g) ?? []).length >= untilAnswers && received.includes('\r\n\r\n'))
        resolve();
    });
    socket.on('close', () => resolve());
  });
  for (const piece of pieces) {
    if (socket.destroyed) break;
    socket.write(piece);
    if (pieces.length > 1) await new Promise(resolve => setImmediate(resolve));
  }
  await answered;
  socket.destroy();
  return received;
}

/** Writes bytes, says that nothing follows, and waits until the server has closed the connection. */
export async function abandon(port: number, bytes: Uint8Array): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  socket.resume();
  const gone = new Promise<void>(resolve => {
    socket.once('close', () => resolve());
  });
  socket.end(bytes);
  await gone;
}
