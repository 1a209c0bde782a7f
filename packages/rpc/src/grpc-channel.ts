import {
  type DescMessage,
  type DescMethod,
  fromBinary,
  getOption,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { Client, type ServiceError } from '@grpc/grpc-js';
import { access } from '@parley/contracts';
import { type Clock, systemClock, systemIds } from '@parley/runtime';
import type { CallOptions, Channel } from './channel.ts';
import { type ChannelEvents, noEvents } from './channel-events.ts';
import type { ParleyError } from './errors.ts';
import { channelOptions, credentials, type GrpcChannelOptions } from './grpc-channel-options.ts';
import { deadlineOf, encode, errorOf, Link, metadataOf } from './remote-call.ts';
import { Replicas } from './replicas.ts';
import { RetryBudget } from './retry-budget.ts';
import { rpcErrors } from './rpc-errors.ts';
import { asParleyError, statusOfKind } from './status.ts';
import { tellBreaker, UnaryCall, type UnaryCallDeps, type UnaryMethod } from './unary-call.ts';

export type { GrpcChannelOptions } from './grpc-channel-options.ts';

/** A channel to services of other processes. */
export interface GrpcChannel extends Channel {
  /** Resolves when a connection stands; rejects with `rpc.unavailable` after `timeoutMs`. */
  ready(timeoutMs: number): Promise<void>;
  /** Ends the connections; calls under way are cancelled. */
  close(): void;
}

/** Connects at once and keeps connections warm. */
export function createGrpcChannel(options: GrpcChannelOptions): GrpcChannel {
  return new Remote(options);
}

const identity = (bytes: Buffer) => bytes;

interface Method<I extends DescMessage, O extends DescMessage> {
  readonly input: I;
  readonly output: O;
  readonly name: string;
  readonly parent: { readonly typeName: string };
}

class Remote implements GrpcChannel {
  readonly #o: GrpcChannelOptions;
  readonly #clock: Clock;
  readonly #events: ChannelEvents;
  readonly #replicas: Replicas;
  /** Worked out once for each method. */
  readonly #known = new WeakMap<object, UnaryMethod>();
  readonly #deps: UnaryCallDeps;

  constructor(options: GrpcChannelOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
    this.#events = options.events ?? noEvents;
    const { resolve, circuitFailures, circuitOpenMs } = options;
    this.#replicas = new Replicas({
      targets: typeof options.target === 'string' ? [options.target] : options.target,
      clock: this.#clock,
      events: this.#events,
      connect: (address, host) => new Client(address, credentials(options), channelOptions(options, address, host)),
      resolveMs: options.resolveMs ?? 10_000,
      maxInFlight: options.maxInFlight ?? 1000,
      circuit: {
        ...(circuitFailures !== undefined && { failures: circuitFailures }),
        ...(circuitOpenMs !== undefined && { openMs: circuitOpenMs }),
      },
      ...(resolve && { resolve }),
    });
    this.#deps = {
      clock: this.#clock,
      events: this.#events,
      replicas: this.#replicas,
      budget: new RetryBudget(this.#clock),
      serviceTokens: options.serviceTokens,
      attempts: options.attempts ?? 3,
      backoffMs: options.backoffMs ?? 20,
      slowMs: options.slowMs ?? 1000,
      hedgeMs: options.hedgeMs ?? 1000,
      fraction: options.fraction ?? systemIds.fraction,
    };
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): Promise<MessageShape<O>> {
    return new Promise((resolve, reject) => {
      const started = this.#clock.monotonic();
      const timeoutMs = this.#timeout(options, options?.timeoutMs ?? this.#o.defaultTimeoutMs ?? 10_000) as number;
      this.#events.underWay(1);
      const settle = (status: number) => {
        this.#events.underWay(-1);
        this.#events.ended(status, (this.#clock.monotonic() - started) / 1000);
      };
      const fail = (thrown: unknown) => {
        const error = asParleyError(thrown);
        settle(statusOfKind(error.kind));
        reject(error);
      };
      try {
        const bytes = encode(method.input, request);
        const done = (error: ParleyError | undefined, answer?: Buffer) => {
          if (error) return fail(error);
          try {
            const message = fromBinary(method.output, answer as Buffer);
            settle(0);
            resolve(message);
          } catch (cause) {
            fail(rpcErrors('rpc.internal', { cause }));
          }
        };
        const call = new UnaryCall(this.#deps, this.#knownOf(method), bytes, options, started + timeoutMs, done);
        this.#deps.budget.earn();
        call.start();
      } catch (error) {
        fail(error);
      }
    });
  }

  async *stream<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): AsyncIterable<MessageShape<O>> {
    const timeoutMs = this.#timeout(options, options?.timeoutMs);
    const endAt = timeoutMs === undefined ? undefined : this.#clock.monotonic() + timeoutMs;
    const bytes = encode(method.input, request);
    await this.#replicas.found;
    const token = await this.#o.serviceTokens();
    const leftMs = endAt === undefined ? undefined : endAt - this.#clock.monotonic();
    if (leftMs !== undefined && leftMs <= 0) throw rpcErrors('rpc.deadline_exceeded');
    const link = new Link(options);
    const replica = this.#replicas.pick();
    const trial = replica.breaker.begin();
    const { path } = this.#knownOf(method);
    const call = replica.client.makeServerStreamRequest(
      path,
      identity,
      identity,
      bytes,
      metadataOf(token, options),
      deadlineOf(leftMs),
    );
    link.bind(call);
    let told = false;
    const tell = (error?: ServiceError) => {
      if (told) return;
      told = true;
      tellBreaker(this.#deps, { replica, trial, leftMs: leftMs ?? 0 }, error && errorOf(error), error ?? null);
    };
    // That it began is an answer: a stream that lives for hours must not keep a circuit half open.
    call.once('metadata', () => tell());
    try {
      for await (const answer of call) yield fromBinary(method.output, answer as Buffer);
      tell();
    } catch (error) {
      tell(error as ServiceError);
      throw errorOf(error as ServiceError);
    } finally {
      if (!told) replica.breaker.abandoned(trial);
      told = true;
      link.release();
      call.cancel();
    }
  }

  #timeout(options: CallOptions | undefined, wanted: number | undefined): number | undefined {
    const end = options?.context?.deadlineMs;
    if (end === undefined) return wanted;
    const left = end - this.#clock.monotonic();
    return wanted === undefined ? left : Math.min(left, wanted);
  }

  #knownOf(method: Method<DescMessage, DescMessage>): UnaryMethod {
    let known = this.#known.get(method);
    if (known === undefined) {
      const { idempotent } = getOption(method as DescMethod, access);
      const reads = (method as DescMethod).idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
      known = { path: `/${method.parent.typeName}/${method.name}`, idempotent, reads };
      this.#known.set(method, known);
    }
    return known;
  }

  async ready(timeoutMs: number): Promise<void> {
    const deadline = systemClock.now() + timeoutMs;
    await this.#replicas.found;
    const waits = this.#replicas.list.map(
      ({ client }) =>
        new Promise<void>((resolve, reject) => client.waitForReady(deadline, e => (e ? reject(e) : resolve()))),
    );
    await Promise.any(waits).catch(cause => {
      throw rpcErrors('rpc.unavailable', { cause });
    });
  }

  close(): void {
    this.#replicas.close();
  }
}
