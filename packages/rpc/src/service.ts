import type { DescMessage, DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { CallContext } from './context.ts';

/** Where a server-streaming handler puts its messages. Writes that meet in one turn of the event loop leave as one chunk. */
export interface StreamSink<O extends DescMessage = DescMessage> {
  /** Encodes and queues a message. */
  send(message: MessageInitShape<O>): void;
  /** Queues an already encoded message; the bytes must not be changed afterwards. */
  sendEncoded(bytes: Uint8Array): void;
  /** Bytes queued that the peer has not taken yet; the handler decides what is too much. */
  readonly queuedBytes: number;
  /** Called when the queue becomes empty again. */
  onDrain(listener: () => void): void;
}

/** Handler of one method. A streaming handler's stream ends when its promise settles. */
export type MethodImpl<M extends DescMethod> = M extends {
  methodKind: 'unary';
  input: infer I extends DescMessage;
  output: infer O extends DescMessage;
}
  ? (request: MessageShape<I>, context: CallContext) => Promise<MessageInitShape<O>>
  : M extends {
        methodKind: 'server_streaming';
        input: infer I extends DescMessage;
        output: infer O extends DescMessage;
      }
    ? (request: MessageShape<I>, context: CallContext, sink: StreamSink<O>) => Promise<void>
    : never;

/** One handler object per service, free of transport types. */
export type ServiceImpl<S extends DescService> = { readonly [K in keyof S['method']]: MethodImpl<S['method'][K]> };

/** A service and its handlers, ready to be mounted on any transport. */
export interface MountedService {
  readonly desc: DescService;
  readonly impl: Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;
}

/** Ties handlers to their service; the compiler checks that every method is there. */
export function service<S extends DescService>(desc: S, impl: ServiceImpl<S>): MountedService {
  return { desc, impl: impl as MountedService['impl'] };
}
