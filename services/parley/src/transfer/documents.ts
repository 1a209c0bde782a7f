import { closeSync, openSync, readSync } from 'node:fs';
import type { Doc, Value } from '@parley/store';

/**
 * Documents as lines of JSON. Bytes are written `{"$bytes":"<base64>"}`: names of a document's fields never begin with
 * `$`, so nothing else looks like that. The revision is the store's own and stays behind.
 */

/** Longest line that is read, bytes: the largest document, all of it control characters that JSON writes as six. */
const MOST_LINE_BYTES = 32 * 1024 * 1024;
const CHUNK = 1024 * 1024;

/** One line, with its end. */
export function encodeDocument(doc: Doc): string {
  const fields = doc as unknown as Readonly<Record<string, Value | undefined>>;
  const plain: Record<string, unknown> = {};
  for (const name in fields) if (name !== '_rev') plain[name] = encodeValue(fields[name]);
  return `${JSON.stringify(plain)}\n`;
}

function encodeValue(value: Value | undefined): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array)
    return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
  if (Array.isArray(value)) return (value as readonly Value[]).map(encodeValue);
  const fields = value as Readonly<Record<string, Value | undefined>>;
  const plain: Record<string, unknown> = {};
  for (const name in fields) plain[name] = encodeValue(fields[name]);
  return plain;
}

/** The document of a line. Throws when it is none. */
export function decodeDocument(line: string): Doc {
  const found: unknown = JSON.parse(line);
  const doc = line.includes('"$') ? decodeValue(found as Value) : (found as Value);
  if (typeof doc !== 'object' || doc === null || typeof (doc as { _id?: unknown })._id !== 'string')
    throw new Error('it is no document');
  return doc as unknown as Doc;
}

function decodeValue(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as readonly Value[]).map(decodeValue);
  const fields = value as Readonly<Record<string, Value>>;
  const plain: Record<string, Value> = {};
  for (const name of Object.keys(fields)) {
    if (name === '$bytes' && typeof fields[name] === 'string')
      return new Uint8Array(Buffer.from(fields[name] as string, 'base64'));
    if (name.startsWith('$'))
      throw new Error(`it holds ${JSON.stringify(name.slice(0, 40))}, which this server does not know`);
    plain[name] = decodeValue(fields[name] as Value);
  }
  return plain;
}

/** Documents of a file and the bytes they took. */
export interface Portion {
  readonly docs: readonly Doc[];
  readonly bytes: number;
}

/** Reads a file of lines in portions of at most `most` documents and about `bytes`. Names the line that is no document. */
export function* documentsOf(path: string, most = 1_000, bytes = 4 * CHUNK): Generator<Portion> {
  let docs: Doc[] = [];
  let size = 0;
  let number = 0;
  for (const line of linesOf(path)) {
    number++;
    try {
      docs.push(decodeDocument(line.toString('utf8')));
    } catch (cause) {
      throw new Error(`${path}, line ${number}: ${(cause as Error).message}`, { cause });
    }
    size += line.byteLength + 1;
    if (docs.length < most && size < bytes) continue;
    yield { docs, bytes: size };
    docs = [];
    size = 0;
  }
  if (docs.length > 0) yield { docs, bytes: size };
}

/** Lines of a file, without their ends. */
export function* linesOf(path: string): Generator<Buffer> {
  const fd = openSync(path, 'r');
  try {
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const n = readSync(fd, chunk);
      if (n === 0) break;
      let from = 0;
      const read = chunk.subarray(0, n);
      for (let end = read.indexOf(10); end >= 0; end = read.indexOf(10, from)) {
        const piece = read.subarray(from, end);
        yield rest.byteLength === 0 ? piece : Buffer.concat([rest, piece]);
        rest = Buffer.alloc(0);
        from = end + 1;
      }
      rest = Buffer.concat([rest, read.subarray(from)]);
      if (rest.byteLength > MOST_LINE_BYTES)
        throw new Error(`${path} holds a line of more than ${MOST_LINE_BYTES} bytes`);
    }
    if (rest.byteLength > 0) yield rest;
  } finally {
    closeSync(fd);
  }
}
