import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** A ServerReflectionRequest. */
export type ReflectionQuestion = { readonly host: string } & (
  | { readonly kind: 'services' | 'none' }
  | { readonly kind: 'file' | 'symbol' | 'extensions'; readonly name: string }
  | { readonly kind: 'extension'; readonly name: string; readonly number: number }
);

/** What a ServerReflectionResponse says. */
export type ReflectionReply =
  | { readonly kind: 'services'; readonly names: readonly string[] }
  | { readonly kind: 'files'; readonly files: readonly Uint8Array[] }
  | { readonly kind: 'extensions'; readonly name: string; readonly numbers: readonly number[] }
  | { readonly kind: 'error'; readonly code: number; readonly message: string };

const named = new Map([
  [3, 'file'],
  [4, 'symbol'],
  [6, 'extensions'],
] as const);

/** Reads a question; one that cannot be read asks nothing. */
export function readQuestion(bytes: Uint8Array): ReflectionQuestion {
  const reader = new BinaryReader(bytes);
  let host = '';
  let question: ReflectionQuestion = { kind: 'none', host };
  try {
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      const kind = named.get(field as 3);
      if (field === 1) host = reader.string();
      else if (kind) question = { kind, name: reader.string(), host };
      else if (field === 5) question = { kind: 'extension', ...readExtension(reader.bytes()), host };
      else if (field === 7) {
        reader.skip(type);
        question = { kind: 'services', host };
      } else reader.skip(type);
    }
  } catch {
    return { kind: 'none', host };
  }
  return { ...question, host };
}

function readExtension(bytes: Uint8Array): { name: string; number: number } {
  const reader = new BinaryReader(bytes);
  let name = '';
  let number = 0;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) name = reader.string();
    else if (field === 2) number = reader.int32();
    else reader.skip(type);
  }
  return { name, number };
}

/** Writes a response that repeats the question. */
export function encodeReply(question: Uint8Array, host: string, reply: ReflectionReply): Uint8Array {
  const writer = new BinaryWriter();
  if (host !== '') writer.tag(1, WireType.LengthDelimited).string(host);
  writer.tag(2, WireType.LengthDelimited).bytes(question);
  switch (reply.kind) {
    case 'files':
      writer.tag(4, WireType.LengthDelimited).fork();
      for (const file of reply.files) writer.tag(1, WireType.LengthDelimited).bytes(file);
      break;
    case 'extensions':
      writer.tag(5, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(reply.name);
      for (const number of reply.numbers) writer.tag(2, WireType.Varint).int32(number);
      break;
    case 'services':
      writer.tag(6, WireType.LengthDelimited).fork();
      for (const name of reply.names) {
        writer.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(name).join();
      }
      break;
    case 'error':
      writer.tag(7, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.Varint).int32(reply.code).tag(2, WireType.LengthDelimited).string(reply.message);
  }
  return writer.join().finish();
}
