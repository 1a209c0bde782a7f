import {
  type DescMessage,
  type DescMethod,
  fromBinary,
  getOption,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { Client, type ServiceError } from '@grpc/grpc-js';
import { access } from '@parley/contracts';
import { type Clock, systemClock, systemIds } from '@parley/runtime';
import type { CallOptions, Channel } from './channel.ts';
import { type ChannelEvents, noEvents } from './channel-events.ts';
import type { ParleyError } from './errors.ts';
import { channelOptions, credentials, type GrpcChannelOptions } from './grpc-channel-options.ts';
import { deadlineOf, encode, errorOf, hasDetails, Link, metadataOf } from './remote-call.ts';
import { type Replica, Replicas } from './replicas.ts';
import { RetryBudget } from './retry-budget.ts';
import { rpcErrors } from './rpc-errors.ts';
import { asParleyError, statusOfKind } from './status.ts';

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

/** What is worked out once for each method. */
interface Known {
  readonly path: string;
  readonly idempotent: boolean;
}

class Remote implements GrpcChannel {
  readonly #o: GrpcChannelOptions;
  readonly #clock: Clock;
  readonly #events: ChannelEvents;
  readonly #replicas: Replicas;
  readonly #budget = new RetryBudget();
  readonly #known = new WeakMap<object, Known>();
  readonly #slowMs: number;

  constructor(options: GrpcChannelOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
    this.#events = options.events ?? noEvents;
    this.#slowMs = options.slowMs ?? 1000;
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
        const link = new Link(options);
        this.#budget.earn();
        this.#attempt(
          this.#knownOf(method),
          bytes,
          options,
          link,
          started + timeoutMs,
          1,
          undefined,
          (error, answer) => {
            link.release();
            if (error) return fail(error);
            try {
              const message = fromBinary(method.output, answer as Buffer);
              settle(0);
              resolve(message);
            } catch (cause) {
              fail(rpcErrors('rpc.internal', { cause }));
            }
          },
        );
      } catch (error) {
        fail(error);
      }
    });
  }

  /** Makes the call once, and again while that may help. `endAt` by the monotonic clock. */
  #attempt(
    known: Known,
    bytes: Buffer,
    options: CallOptions | undefined,
    link: Link,
    endAt: number,
    n: number,
    avoid: Replica | undefined,
    done: (error: ParleyError | undefined, answer?: Buffer) => void,
  ): void {
    let replica: Replica | undefined;
    const ended = (thrown: unknown) => {
      const error = asParleyError(thrown);
      const waitMs = this.#pauseBefore(n, known, error, endAt, link);
      if (waitMs === undefined) return done(error);
      const timer = this.#clock.timer(waitMs, () =>
        this.#attempt(known, bytes, options, link, endAt, n + 1, replica, done),
      );
      const cancel = () => {
        timer.cancel();
        done(rpcErrors('rpc.cancelled'));
      };
      link.bind({ cancel });
    };
    const begin = (token: string) => {
      const leftMs = endAt - this.#clock.monotonic();
      if (link.aborted) throw rpcErrors('rpc.cancelled');
      if (leftMs <= 0) throw rpcErrors('rpc.deadline_exceeded');
      const picked = this.#replicas.pick(avoid);
      replica = picked;
      const trial = picked.breaker.begin();
      picked.inFlight++;
      const call = picked.client.makeUnaryRequest(
        known.path,
        identity,
        identity,
        bytes,
        metadataOf(token, options),
        deadlineOf(leftMs),
        (failure, answer) => {
          const error = failure ? errorOf(failure) : undefined;
          this.#tell(picked, trial, error, failure, leftMs);
          this.#replicas.left(picked);
          if (error) ended(error);
          else done(undefined, answer as Buffer);
        },
      );
      link.bind(call);
    };
    const start = () => {
      try {
        const token = this.#o.serviceTokens();
        if (typeof token === 'string') begin(token);
        else token.then(begin).catch(ended);
      } catch (error) {
        ended(error);
      }
    };
    const { found } = this.#replicas;
    if (found) this.#whenFound(found, link, endAt, start, done);
    else start();
  }

  /** Milliseconds until the call is made again; undefined when it is not. */
  #pauseBefore(n: number, known: Known, error: ParleyError, endAt: number, link: Link): number | undefined {
    if (!known.idempotent || error.kind !== 'unavailable' || link.aborted) return undefined;
    // The breaker and the limit refuse to spare somebody; asking again at once would not.
    if (n >= (this.#o.attempts ?? 3) || error.code === 'rpc.busy' || error.code === 'rpc.circuit_open')
      return undefined;
    const jitter = 0.5 + (this.#o.fraction ?? systemIds.fraction)();
    const waitMs = Math.max((this.#o.backoffMs ?? 20) * 2 ** (n - 1) * jitter, error.retryAfterMs ?? 0);
    if (this.#clock.monotonic() + waitMs >= endAt) return undefined;
    const allowed = this.#budget.spend();
    this.#events.repeated(allowed);
    return allowed ? waitMs : undefined;
  }

  /** What the end of a call says about the replica it was made with. */
  #tell(
    { breaker }: Replica,
    trial: number,
    error: ParleyError | undefined,
    failure: ServiceError | null,
    gaveMs: number,
  ): void {
    if (!error) return breaker.succeeded();
    if (error.kind === 'cancelled' && !hasDetails(failure)) return breaker.abandoned(trial);
    if (error.kind === 'deadline' && !hasDetails(failure)) {
      return gaveMs >= this.#slowMs ? breaker.failed(trial) : breaker.abandoned(trial);
    }
    const unreachable = error.kind === 'unavailable' && !hasDetails(failure);
    if (unreachable) this.#replicas.suspect();
    if (unreachable || error.code === 'rpc.overloaded') return breaker.failed(trial);
    breaker.succeeded();
  }

  /** The first look-up of names is waited for as long as the call has time. */
  #whenFound(
    found: Promise<void>,
    link: Link,
    endAt: number,
    start: () => void,
    done: (error: ParleyError) => void,
  ): void {
    let over = false;
    const end = (then: () => void) => {
      if (over) return;
      over = true;
      timer.cancel();
      then();
    };
    const leftMs = Math.max(0, endAt - this.#clock.monotonic());
    const timer = this.#clock.timer(leftMs, () => end(() => done(rpcErrors('rpc.deadline_exceeded'))));
    link.bind({ cancel: () => end(() => done(rpcErrors('rpc.cancelled'))) });
    void found.then(() => end(start));
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
      this.#tell(replica, trial, error && errorOf(error), error ?? null, leftMs ?? 0);
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
    const left = end - this.#clock.now();
    return wanted === undefined ? left : Math.min(left, wanted);
  }

  #knownOf(method: Method<DescMessage, DescMessage>): Known {
    let known = this.#known.get(method);
    if (known === undefined) {
      const { idempotent } = getOption(method as DescMethod, access);
      known = { path: `/${method.parent.typeName}/${method.name}`, idempotent };
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
