import type { ServiceError } from '@grpc/grpc-js';
import type { Clock, Timer } from '@parley/runtime';
import type { CallOptions } from './channel.ts';
import type { ChannelEvents } from './channel-events.ts';
import type { ErrorKind, ParleyError } from './errors.ts';
import { type Cancellable, deadlineOf, errorOf, hasDetails, Link, metadataOf } from './remote-call.ts';
import type { Replica, Replicas } from './replicas.ts';
import type { RetryBudget } from './retry-budget.ts';
import { rpcErrors } from './rpc-errors.ts';
import { asParleyError } from './status.ts';

/** What all unary calls of a channel share. Times in milliseconds. */
export interface UnaryCallDeps {
  readonly clock: Clock;
  readonly events: ChannelEvents;
  readonly replicas: Replicas;
  readonly budget: RetryBudget;
  readonly serviceTokens: () => string | Promise<string>;
  /** Most tries of one call. */
  readonly attempts: number;
  /** Pause before the first repetition. */
  readonly backoffMs: number;
  /** A try that had less time than this says nothing about the replica that did not answer. */
  readonly slowMs: number;
  /** A call that only reads and has no answer after this time is made with another replica as well. */
  readonly hedgeMs: number;
  readonly fraction: () => number;
}

/** What the contract says of a method. */
export interface UnaryMethod {
  /** `/parley.im.v1.ImService/SendMessage` */
  readonly path: string;
  /** May be made again when nobody answered. */
  readonly idempotent: boolean;
  /** Changes nothing, so it may be made twice at the same time. */
  readonly reads: boolean;
}

interface Try {
  readonly replica: Replica;
  /** What its breaker gave. */
  readonly trial: number;
  readonly beganAt: number;
  readonly leftMs: number;
  readonly call: Cancellable;
}

/** What says more about whoever answers than about the call. */
const TROUBLE: ReadonlySet<ErrorKind> = new Set(['unavailable', 'deadline', 'internal', 'unknown', 'cancelled']);

type Done = (error: ParleyError | undefined, answer?: Buffer) => void;

const identity = (bytes: Buffer) => bytes;

/**
 * One call to another process. It is made again after a pause when nobody answered, and beside itself with another
 * replica when an answer takes long: whoever hangs must not take those with him who wait. The first answer counts.
 * https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 */
export class UnaryCall {
  readonly #deps: UnaryCallDeps;
  readonly #method: UnaryMethod;
  readonly #bytes: Buffer;
  readonly #options: CallOptions | undefined;
  readonly #link: Link;
  readonly #endAt: number;
  readonly #done: Done;
  readonly #running = new Set<Try>();
  /** Tries begun, and those of them that have not ended. */
  #made = 0;
  #underWay = 0;
  #over = false;
  /** Until the next try. */
  #timer: Timer | undefined;

  /** `endAt` by the monotonic clock. Throws `rpc.cancelled` when nobody waits any longer. */
  constructor(
    deps: UnaryCallDeps,
    method: UnaryMethod,
    bytes: Buffer,
    options: CallOptions | undefined,
    endAt: number,
    done: Done,
  ) {
    this.#deps = deps;
    this.#method = method;
    this.#bytes = bytes;
    this.#options = options;
    this.#endAt = endAt;
    this.#done = done;
    this.#link = new Link(options);
    this.#link.bind(this);
  }

  /** Makes it; the first look-up of names is waited for as long as there is time. */
  start(): void {
    const { found } = this.#deps.replicas;
    if (!found) return this.#try();
    this.#after(this.#leftMs(), () => this.#end(rpcErrors('rpc.deadline_exceeded')));
    void found.then(() => {
      if (!this.#over) this.#try();
    });
  }

  /** Whoever made it has given up. */
  cancel(): void {
    this.#end(rpcErrors('rpc.cancelled'));
  }

  #leftMs(): number {
    return this.#endAt - this.#deps.clock.monotonic();
  }

  #after(ms: number, then: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#deps.clock.timer(Math.max(0, ms), then);
  }

  #try(pick: () => Replica = () => this.#deps.replicas.pick()): void {
    this.#timer?.cancel();
    this.#made++;
    this.#underWay++;
    try {
      const token = this.#deps.serviceTokens();
      if (typeof token === 'string') this.#begin(token, pick);
      else token.then(text => this.#begin(text, pick)).catch((error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  #begin(token: string, pick: () => Replica): void {
    if (this.#over) return;
    const leftMs = this.#leftMs();
    if (leftMs <= 0) throw rpcErrors('rpc.deadline_exceeded');
    const replica = pick();
    const call = replica.client.makeUnaryRequest(
      this.#method.path,
      identity,
      identity,
      this.#bytes,
      metadataOf(token, this.#options),
      deadlineOf(leftMs),
      (failure, answer) => this.#ended(one, failure, answer),
    );
    const trial = replica.breaker.begin();
    const one: Try = { replica, trial, beganAt: this.#endAt - leftMs, leftMs, call };
    replica.inFlight++;
    this.#running.add(one);
    this.#hedgeLater(replica);
  }

  #hedgeLater(slow: Replica): void {
    const { hedgeMs, attempts, replicas } = this.#deps;
    if (!this.#method.reads || replicas.list.length < 2 || this.#underWay > 1 || this.#made >= attempts) return;
    if (this.#leftMs() > hedgeMs) this.#after(hedgeMs, () => this.#hedge(slow));
  }

  #hedge(slow: Replica): void {
    const { replicas, budget, events } = this.#deps;
    if (replicas.another(slow)) {
      const allowed = budget.spend();
      events.hedged(allowed);
      if (allowed) return this.#try(() => replicas.another(slow) ?? replicas.pick(slow));
    }
    // somebody may be there, or it may be allowed, by then
    this.#hedgeLater(slow);
  }

  #ended(one: Try, failure: ServiceError | null, answer: Buffer | undefined): void {
    if (!this.#running.delete(one)) return;
    const error = failure ? errorOf(failure) : undefined;
    tellBreaker(this.#deps, one, error, failure);
    this.#deps.replicas.left(one.replica);
    if (!error) this.#end(undefined, answer, one);
    else if (hasDetails(failure) && !TROUBLE.has(error.kind)) this.#end(error, undefined, one);
    else this.#failed(error, one.replica);
  }

  /** A try was not answered, or by somebody who is in trouble himself. */
  #failed(thrown: unknown, replica?: Replica): void {
    if (this.#over) return;
    this.#underWay--;
    const [other] = this.#running;
    // The other one may still answer, or a third.
    if (other) return this.#hedgeLater(other.replica);
    if (this.#underWay > 0) return;
    const error = asParleyError(thrown);
    const waitMs = this.#pauseBefore(error);
    if (waitMs === undefined) this.#end(error);
    else this.#after(waitMs, () => this.#try(() => this.#deps.replicas.pick(replica)));
  }

  /** Milliseconds until the call is made again; undefined when it is not. */
  #pauseBefore(error: ParleyError): number | undefined {
    if (!this.#method.idempotent || error.kind !== 'unavailable') return undefined;
    const { attempts, fraction, backoffMs, budget, events } = this.#deps;
    // The breaker and the limit refuse to spare somebody; asking again at once would not.
    if (this.#made >= attempts || error.code === 'rpc.busy' || error.code === 'rpc.circuit_open') return undefined;
    const jitter = 0.5 + fraction();
    const waitMs = Math.max(backoffMs * 2 ** (this.#made - 1) * jitter, error.retryAfterMs ?? 0);
    if (waitMs >= this.#leftMs()) return undefined;
    const allowed = budget.spend();
    events.repeated(allowed);
    return allowed ? waitMs : undefined;
  }

  /** `by`: the try that was answered, by whoever that was. */
  #end(error: ParleyError | undefined, answer?: Buffer, by?: Try): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    this.#link.release();
    for (const { replica, trial, beganAt, call } of this.#running) {
      // Whoever is overtaken by one that began later hangs; who began later and was not faster need not.
      if (by && by.beganAt > beganAt) replica.breaker.failed(trial);
      else replica.breaker.abandoned(trial);
      this.#deps.replicas.left(replica);
      call.cancel();
    }
    this.#running.clear();
    this.#done(error, answer);
  }
}

/** What the end of a try says about the replica it was made with. */
export function tellBreaker(
  { replicas, slowMs }: Pick<UnaryCallDeps, 'replicas' | 'slowMs'>,
  { replica: { breaker }, trial, leftMs }: Pick<Try, 'replica' | 'trial' | 'leftMs'>,
  error: ParleyError | undefined,
  failure: ServiceError | null,
): void {
  if (!error) return breaker.succeeded();
  if (error.kind === 'cancelled' && !hasDetails(failure)) return breaker.abandoned(trial);
  if (error.kind === 'deadline' && !hasDetails(failure)) {
    return leftMs >= slowMs ? breaker.failed(trial) : breaker.abandoned(trial);
  }
  const unreachable = error.kind === 'unavailable' && !hasDetails(failure);
  if (unreachable) replicas.suspect();
  if (unreachable || error.code === 'rpc.overloaded') return breaker.failed(trial);
  breaker.succeeded();
}
