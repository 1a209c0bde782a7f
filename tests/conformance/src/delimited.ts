import type { Readable } from 'node:stream';

/** One message as the runner writes it to standard input: four bytes of length, big endian, and so many bytes. */
export async function readDelimited(input: Readable): Promise<Uint8Array> {
  let read: Buffer = Buffer.alloc(0);
  for await (const chunk of input as AsyncIterable<Buffer>) {
    read = Buffer.concat([read, chunk]);
    if (read.length >= 4 && read.length >= 4 + read.readUInt32BE(0)) return read.subarray(4, 4 + read.readUInt32BE(0));
  }
  throw new Error(`the input ended after ${read.length} bytes, inside a message`);
}

/** One message as the runner reads it. */
export function delimited(message: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length, 0);
  return Buffer.concat([length, message]);
}
