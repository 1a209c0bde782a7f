/** The few bytes of three protocols that a health check needs. No client library: these checks run before any is installed. */
import { exchange } from './net.ts';

/** NATS: PING is answered by PONG once the server accepts clients. */
export async function natsAnswers(port: number): Promise<boolean> {
  const hello = Buffer.from('CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n');
  return (await exchange(port, hello, answer => answer.includes('PONG\r\n'))) !== undefined;
}

/** An ApiVersions v0 request: size, api key 18, version 0, correlation id, client id. */
export function encodeApiVersions(correlationId: number, clientId = 'parley-health'): Buffer {
  const id = Buffer.from(clientId);
  const frame = Buffer.alloc(14 + id.length);
  frame.writeInt32BE(10 + id.length, 0);
  frame.writeInt16BE(18, 4);
  frame.writeInt16BE(0, 6);
  frame.writeInt32BE(correlationId, 8);
  frame.writeInt16BE(id.length, 12);
  id.copy(frame, 14);
  return frame;
}

/** Kafka: ApiVersions answered without an error code (plaintext listeners only). */
export async function kafkaAnswers(port: number): Promise<boolean> {
  const correlationId = 7;
  const complete = (a: Buffer): boolean => a.length >= 10 && a.length >= 4 + a.readInt32BE(0);
  const answer = await exchange(port, encodeApiVersions(correlationId), complete);
  return answer !== undefined && answer.readInt32BE(4) === correlationId && answer.readInt16BE(8) === 0;
}

/** A flat BSON document of int32 and string values. */
export function encodeBson(document: Readonly<Record<string, number | string>>): Buffer {
  const parts: Buffer[] = [];
  for (const [key, value] of Object.entries(document)) {
    const name = Buffer.from(`${key}\0`);
    if (typeof value === 'number') {
      const body = Buffer.alloc(4);
      body.writeInt32LE(value);
      parts.push(Buffer.from([0x10]), name, body);
    } else {
      const text = Buffer.from(`${value}\0`);
      const size = Buffer.alloc(4);
      size.writeInt32LE(text.length);
      parts.push(Buffer.from([0x02]), name, size, text);
    }
  }
  const body = Buffer.concat(parts);
  const size = Buffer.alloc(4);
  size.writeInt32LE(body.length + 5);
  return Buffer.concat([size, body, Buffer.alloc(1)]);
}

/** A MongoDB OP_MSG with one body section. */
export function encodeOpMsg(requestId: number, document: Readonly<Record<string, number | string>>): Buffer {
  const body = encodeBson(document);
  const header = Buffer.alloc(21);
  header.writeInt32LE(21 + body.length, 0);
  header.writeInt32LE(requestId, 4);
  header.writeInt32LE(2013, 12);
  return Buffer.concat([header, body]);
}

/** True when an OP_MSG answer says `ok: 1` (a double, the last word of every MongoDB answer that worked). */
export function saysOk(answer: Buffer): boolean {
  const one = Buffer.alloc(8);
  one.writeDoubleLE(1);
  return answer.includes(Buffer.concat([Buffer.from([0x01]), Buffer.from('ok\0'), one]));
}

/** MongoDB wire: `hello` from the front, then `listCollections`, which has to reach the database behind it. */
export async function mongoAnswers(port: number): Promise<boolean> {
  const complete = (a: Buffer): boolean => a.length >= 4 && a.length >= a.readInt32LE(0);
  for (const command of [
    { hello: 1, $db: 'admin' },
    { listCollections: 1, $db: 'parley_health' },
  ]) {
    const answer = await exchange(port, encodeOpMsg(1, command), complete, 5000);
    if (answer === undefined || !saysOk(answer)) return false;
  }
  return true;
}
