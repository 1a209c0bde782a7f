import { decodeBase64 } from './base64.ts';
import { rpcErrors } from './rpc-errors.ts';
import type { WireStatus } from './status.ts';

/** https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md */
const compressedFlag = 0x01;
const trailerFlag = 0x80;
const prefixBytes = 5;

/** How bodies are written: as they are, or as base64. */
export type WebEncoding = 'binary' | 'text';

/** Content types of responses. */
export const responseTypes: Readonly<Record<WebEncoding, string>> = {
  binary: 'application/grpc-web+proto',
  text: 'application/grpc-web-text+proto',
};

/** The encoding a content type asks for; undefined when it is not one of gRPC-Web with protobuf. */
export function webEncoding(contentType: string | undefined): WebEncoding | undefined {
  switch (contentType) {
    case 'application/grpc-web+proto':
    case 'application/grpc-web':
      return 'binary';
    case 'application/grpc-web-text':
    case 'application/grpc-web-text+proto':
      return 'text';
    case undefined:
      return undefined;
    default: {
      const bare = contentType.split(';', 1)[0]?.trim().toLowerCase();
      return bare === contentType ? undefined : webEncoding(bare);
    }
  }
}

/** Largest body for a message of `maxMessageBytes`. */
export function maxBodyBytes(encoding: WebEncoding, maxMessageBytes: number): number {
  const plain = maxMessageBytes + prefixBytes;
  return encoding === 'binary' ? plain : Math.ceil(plain / 3) * 4 + 8;
}

/**
 * The one message of a request body. Throws `rpc.not_one_message`, `rpc.malformed` (trailers, a wrong length, bad
 * base64), `rpc.unexpected_compression` or `rpc.request_too_large`.
 */
export function readRequestFrame(body: Buffer, encoding: WebEncoding, maxMessageBytes: number): Buffer {
  const bytes = encoding === 'text' ? decodeText(body) : body;
  if (bytes.length === 0) throw rpcErrors('rpc.not_one_message');
  if (bytes.length < prefixBytes) throw malformed('the frame is incomplete');
  const flags = bytes[0] as number;
  if (flags & trailerFlag) throw malformed('requests have no trailers');
  if (flags & compressedFlag) throw rpcErrors('rpc.unexpected_compression');
  if (flags !== 0) throw malformed('the frame has unknown flags');
  const length = bytes.readUInt32BE(1);
  if (length > maxMessageBytes) throw rpcErrors('rpc.request_too_large', { params: { limit: maxMessageBytes } });
  if (bytes.length < prefixBytes + length) throw malformed('the frame is incomplete');
  if (bytes.length > prefixBytes + length) throw whatFollows(bytes.subarray(prefixBytes + length));
  return bytes.subarray(prefixBytes);
}

/** Another message is one too many; anything else is no message. */
function whatFollows(rest: Buffer) {
  const whole = rest.length >= prefixBytes && rest.length >= prefixBytes + rest.readUInt32BE(1);
  return whole && ((rest[0] as number) & trailerFlag) === 0
    ? rpcErrors('rpc.not_one_message')
    : malformed('something follows the message');
}

function malformed(reason: string) {
  return rpcErrors('rpc.malformed', { params: { reason } });
}

function decodeText(body: Buffer): Buffer {
  const bytes = decodeBase64(body);
  if (!bytes) throw malformed('the body is not base64');
  return bytes;
}

const okTrailer = trailerFrame('grpc-status:0\r\n');

function trailerFrame(text: string): Buffer {
  const frame = Buffer.allocUnsafeSlow(prefixBytes + text.length);
  frame[0] = trailerFlag;
  frame.writeUInt32BE(text.length, 1);
  frame.write(text, prefixBytes, 'latin1');
  return frame;
}

/** Puts a message with its prefix into `target` at `at`; returns where it ends. */
export function writeFrame(target: Buffer, at: number, message: Uint8Array): number {
  const { length } = message;
  target[at] = 0;
  target[at + 1] = length >>> 24;
  target[at + 2] = length >>> 16;
  target[at + 3] = length >>> 8;
  target[at + 4] = length;
  target.set(message, at + prefixBytes);
  return at + prefixBytes + length;
}

/** Bytes a message takes with its prefix. */
export function frameBytes(message: Uint8Array): number {
  return prefixBytes + message.length;
}

/** Body of a unary response: the message and the trailers of success, with `extra` (names and values in turn). */
export function unaryBody(message: Uint8Array, extra: readonly string[]): Buffer {
  const end = extra.length === 0 ? okTrailer : trailers(undefined, extra);
  const body = Buffer.allocUnsafe(prefixBytes + message.length + end.length);
  body.set(end, writeFrame(body, 0, message));
  return body;
}

/** Trailers at the end of a response, with `extra` (names and values in turn); those of success without `status`. */
export function trailers(status: WireStatus | undefined, extra: readonly string[]): Buffer {
  if (!status && extra.length === 0) return okTrailer;
  const fields = [...(status ? statusFields(status) : ['grpc-status', '0']), ...extra];
  let text = '';
  for (let i = 0; i + 1 < fields.length; i += 2) text += `${fields[i]}:${fields[i + 1]}\r\n`;
  return trailerFrame(text);
}

/** Names and values of the header fields of a refusal, in turn. */
export function statusFields(status: WireStatus): string[] {
  const fields = ['grpc-status', String(status.code), 'grpc-message', percentEncode(status.message)];
  const { details } = status;
  if (details.length > 0) {
    const text = Buffer.from(details.buffer, details.byteOffset, details.length).toString('base64');
    fields.push('grpc-status-details-bin', text.replace(/=+$/, ''));
  }
  return fields;
}

/** As the gRPC specification wants `grpc-message`: printable ASCII except `%` stays. */
function percentEncode(text: string): string {
  return /^[\x20-\x24\x26-\x7e]*$/.test(text)
    ? text
    : text.replace(/[^\x20-\x24\x26-\x7e]+/g, part => encodeURIComponent(part));
}
