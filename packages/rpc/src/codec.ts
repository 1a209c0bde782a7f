import { create, type DescMessage, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import type { RegisteredMethod } from './method.ts';
import { rpcErrors } from './rpc-errors.ts';

/** How deep messages of requests may be nested. No contract of ours needs more than a handful. */
export const maxMessageDepth = 32;

const readOptions = { recursionLimit: maxMessageDepth };

/** Reads a request; throws `rpc.malformed` or `rpc.too_deep`. */
export function decodeRequest(method: RegisteredMethod, bytes: Uint8Array): Message {
  try {
    return fromBinary(method.input, bytes, readOptions);
  } catch (error) {
    if (error instanceof Error && error.message.includes('recursion depth')) {
      throw rpcErrors('rpc.too_deep', { params: { limit: maxMessageDepth } });
    }
    throw rpcErrors('rpc.malformed', { params: { reason: `not a ${method.input.typeName}` } });
  }
}

/** Encodes what a handler gave: a message, or the fields of one. */
export function encodeMessage(desc: DescMessage, message: unknown): Uint8Array {
  return toBinary(desc, create(desc, message as Message));
}
