import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { CallContext } from './context.ts';

/** Options of one call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds; default 10,000 for unary calls. Never longer than what is left of `context`. */
  readonly timeoutMs?: number;
  /** The call being served now: passes on the person's token, deadline, request id and trace. */
  readonly context?: CallContext;
}

/** A way to reach services: in process, or gRPC. Failures are `ParleyError`. */
export interface Channel {
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): Promise<MessageShape<O>>;
  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): AsyncIterable<MessageShape<O>>;
}

/** A typed client of one service. */
export type Client<S extends DescService> = {
  readonly [K in keyof S['method']]: S['method'][K] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : S['method'][K] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : never;
};

/** Makes a typed client over a channel. */
export function createClient<S extends DescService>(desc: S, channel: Channel): Client<S> {
  const client: Record<string, unknown> = {};
  for (const method of desc.methods) {
    if (method.methodKind === 'unary') {
      client[method.localName] = (request: never, options?: CallOptions) =>
        channel.unary(method as DescMethodUnary, request, options);
    } else if (method.methodKind === 'server_streaming') {
      client[method.localName] = (request: never, options?: CallOptions) =>
        channel.stream(method as DescMethodServerStreaming, request, options);
    }
  }
  return client as Client<S>;
}
