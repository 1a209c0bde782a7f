import { create, type DescMessage, fromBinary, type Message } from '@bufbuild/protobuf';
import { type Clock, systemClock } from '@parley/runtime';
import { Call } from './call.ts';
import type { CallOptions, Channel } from './channel.ts';
import { encodeMessage } from './codec.ts';
import { type Principal, personIn } from './context.ts';
import type { ParleyError } from './errors.ts';
import { MessageQueue } from './message-queue.ts';
import type { RegisteredMethod } from './method.ts';
import type { Registry } from './registry.ts';
import { rpcErrors } from './rpc-errors.ts';
import type { StreamSink } from './service.ts';
import { asParleyError } from './status.ts';

/** Settings of {@link createInProcessChannel}. */
export interface InProcessChannelOptions {
  /** Name of the calling service, as methods of audience SERVICE know their callers. */
  readonly as: string;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Milliseconds, default 10,000. */
  readonly defaultTimeoutMs?: number;
}

/**
 * A channel to services of the same process: the pipeline of every call without encoding. Requests and responses are
 * handed over as they are; neither side may change them afterwards.
 */
export function createInProcessChannel(registry: Registry, options: InProcessChannelOptions): Channel {
  const clock = options.clock ?? systemClock;
  const self: Principal = Object.freeze({ kind: 'service', name: options.as });
  const defaultTimeoutMs = options.defaultTimeoutMs ?? 10_000;

  function start(call: LocalCall, callOptions: CallOptions | undefined, timeoutMs: number | undefined): void {
    const context = callOptions?.context;
    const person = context && personIn(context.principal);
    call.token = context?.token;
    call.follow(context, callOptions?.signal);
    if (call.finished) return;
    const left = context?.deadlineMs === undefined ? undefined : context.deadlineMs - clock.monotonic();
    const ms = left === undefined ? timeoutMs : Math.min(left, timeoutMs ?? left);
    registry.startAs(call, person ? { kind: 'service', name: options.as, person } : self, ms);
  }

  function open(desc: { parent: { typeName: string }; name: string }): RegisteredMethod {
    const method = registry.find(`/${desc.parent.typeName}/${desc.name}`);
    if (!method) throw rpcErrors('rpc.unknown_method');
    return method;
  }

  return {
    unary: (desc, request, callOptions) =>
      new Promise((resolve, reject) => {
        try {
          const call = new UnaryLocalCall(
            registry,
            open(desc),
            create(desc.input, request),
            callOptions,
            resolve as never,
            reject,
          );
          start(call, callOptions, callOptions?.timeoutMs ?? defaultTimeoutMs);
        } catch (error) {
          reject(asParleyError(error));
        }
      }),
    async *stream(desc, request, callOptions) {
      const call = new StreamLocalCall(registry, open(desc), create(desc.input, request), callOptions);
      try {
        start(call, callOptions, callOptions?.timeoutMs);
        for (;;) {
          const bytes = await call.queue.next();
          if (bytes === undefined) return;
          yield fromBinary(desc.output, bytes);
        }
      } finally {
        registry.cancel(call);
        call.unfollow();
      }
    },
  };
}

/** A call whose caller sits in the same process. */
abstract class LocalCall extends Call {
  protected readonly registry: Registry;
  readonly #request: Message;
  #leader: Call | undefined = undefined;
  #signal: AbortSignal | undefined = undefined;
  #onAbort: (() => void) | undefined = undefined;

  constructor(registry: Registry, method: RegisteredMethod, request: Message, options: CallOptions | undefined) {
    const context = options?.context;
    super(method, context?.requestId ?? registry.nextRequestId(), context?.traceparent);
    this.registry = registry;
    this.#request = request;
  }

  get peer(): string {
    return 'in-process';
  }

  readRequest(): Message {
    return this.#request;
  }

  follow(context: CallOptions['context'], signal: AbortSignal | undefined): void {
    if (context instanceof Call) {
      this.#leader = context;
      context.addFollower(this);
      context = undefined;
    }
    const signals = [context?.signal, signal].filter(s => s !== undefined);
    if (signals.length === 0) return;
    this.#signal = signals.length === 1 ? (signals[0] as AbortSignal) : AbortSignal.any(signals);
    this.#onAbort = () => this.onLeaderAborted();
    if (this.#signal.aborted) this.onLeaderAborted();
    else this.#signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  unfollow(): void {
    this.#leader?.removeFollower(this);
    if (this.#onAbort) this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  override onLeaderAborted(): void {
    this.registry.refuse(this, rpcErrors('rpc.cancelled'));
  }
}

class UnaryLocalCall extends LocalCall {
  readonly #resolve: (message: Message) => void;
  readonly #reject: (error: ParleyError) => void;

  constructor(
    registry: Registry,
    method: RegisteredMethod,
    request: Message,
    options: CallOptions | undefined,
    resolve: (message: Message) => void,
    reject: (error: ParleyError) => void,
  ) {
    super(registry, method, request, options);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  respond(message: unknown): void {
    const response = create(this.method.output, message as Message);
    this.unfollow();
    this.#resolve(response);
  }

  end(): void {}

  refuse(error: ParleyError): void {
    this.unfollow();
    this.#reject(error);
  }

  get sink(): StreamSink {
    throw new Error('a unary call has no stream');
  }
}

class StreamLocalCall extends LocalCall implements StreamSink {
  readonly queue = new MessageQueue();

  send(message: unknown): void {
    this.sendEncoded(encodeMessage(this.method.output as DescMessage, message));
  }

  sendEncoded(bytes: Uint8Array): void {
    if (!this.finished) this.queue.push(bytes);
  }

  get queuedBytes(): number {
    return this.queue.bytes;
  }

  onDrain(listener: () => void): void {
    this.queue.onDrain(listener);
  }

  respond(): void {}

  end(): void {
    this.queue.close();
  }

  refuse(error: ParleyError): void {
    this.queue.close(error);
  }

  get sink(): StreamSink {
    return this;
  }
}
