import {
  connect,
  headers as createHeaders,
  type Msg,
  type NatsConnection,
  PermissionViolationError,
  type Status,
  type Subscription,
} from '@nats-io/transport-node';
import type { Bus, BusHandler, BusMessage, ContinuityBreak } from '../../bus.ts';
import { checkMessage, checkPattern, checkQueue, checkSubject, firstToken, MAX_MESSAGE_BYTES } from '../../message.ts';
import { createBusTelemetry } from '../../telemetry.ts';
import { connectionOptions, reconnectDelay } from './connection-options.ts';
import type { NatsBusOptions } from './options.ts';

/** Handlers of one pattern, behind one subscription at the server. Members of queue groups have one each. */
interface Shared {
  readonly pattern: string;
  readonly queue: string | undefined;
  readonly exact: boolean;
  readonly handlers: Set<BusHandler>;
  snapshot: readonly BusHandler[] | undefined;
  subscription: Subscription | undefined;
}

/** While no server can be reached, that is said so often, milliseconds. */
const TELL_AGAIN_MS = 30_000;

/** A connection that ended earlier says that the next one may, too. */
const SHORT_LIVED_MS = 2_000;

/** A bus on NATS; see {@link NatsBus.establish}. */
export class NatsBus implements Bus {
  readonly #options: NatsBusOptions;
  readonly #telemetry: ReturnType<typeof createBusTelemetry>;
  readonly #byPattern = new Map<string, Shared>();
  readonly #all = new Set<Shared>();
  readonly #listeners = new Set<(event: ContinuityBreak) => void>();
  #connection: NatsConnection | undefined;
  /** Servers of the cluster, as the last one connected to named them. */
  #learnt: readonly string[] = [];
  #up = false;
  #waiters: (() => void)[] = [];
  #handlers = 0;
  #closing: Promise<void> | undefined;

  constructor(options: NatsBusOptions) {
    this.#options = options;
    const { clock, logger, metrics } = options;
    this.#telemetry = createBusTelemetry({ clock, logger, metrics });
  }

  get connected(): boolean {
    return this.#up && this.#closing === undefined;
  }

  /** Tries to connect until the deadline (monotonic milliseconds). */
  async establish(deadline: number): Promise<void> {
    const { clock, logger } = this.#options;
    let toldAt = Number.NEGATIVE_INFINITY;
    for (;;) {
      try {
        const connection = await connect(connectionOptions(this.#options, this.#learnt));
        if (this.#closing !== undefined) return await connection.close();
        this.#use(connection);
        return;
      } catch (err) {
        if (this.#closing !== undefined) return;
        const wait = reconnectDelay(this.#options);
        if (clock.monotonic() + wait > deadline) throw err;
        if (clock.monotonic() - toldAt >= TELL_AGAIN_MS) {
          toldAt = clock.monotonic();
          logger?.warn('bus.connect.failed', { reason: err instanceof Error ? err.message : 'unknown' });
        }
        await clock.sleep(wait);
      }
    }
  }

  #use(connection: NatsConnection): void {
    const { logger } = this.#options;
    this.#connection = connection;
    this.#learnt = connection.info?.connect_urls ?? [];
    for (const shared of this.#all) this.#subscribeAtServer(shared);
    this.#raise();
    const most = connection.info?.max_payload ?? MAX_MESSAGE_BYTES;
    if (most < MAX_MESSAGE_BYTES) logger?.warn('bus.server.small_payload', { maxPayload: most });
    logger?.info('bus.connected', { server: connection.getServer() });
    void this.#watch(connection);
  }

  async #watch(connection: NatsConnection): Promise<void> {
    const { clock, logger } = this.#options;
    const since = clock.monotonic();
    for await (const status of connection.status()) this.#onStatus(status);
    const reason = await connection.closed();
    if (this.#closing !== undefined) return;
    logger?.warn('bus.connection.ended', { reason: reason instanceof Error ? reason.message : 'closed' });
    this.#fall();
    // A server that takes connections and drops them is not asked all the time.
    if (clock.monotonic() - since < SHORT_LIVED_MS) await clock.sleep(reconnectDelay(this.#options));
    await this.establish(Number.POSITIVE_INFINITY);
    if (this.#connection !== connection) await this.#restored(this.#connection);
  }

  #onStatus(status: Status): void {
    const { logger } = this.#options;
    if (status.type === 'disconnect') this.#fall();
    else if (status.type === 'error') {
      const { error } = status;
      if (error instanceof PermissionViolationError) {
        this.#telemetry.denied(error.operation, error.subject);
      } else if (/slow consumer/i.test(error.message)) this.#emit({ kind: 'slow-consumer', pattern: '>' });
      else logger?.warn('bus.server.error', { reason: error.message });
    } else if (status.type === 'ldm') logger?.info('bus.server.leaving', { server: status.server });
  }

  #raise(): void {
    this.#up = true;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const go of waiters) go();
  }

  #fall(): void {
    if (!this.#up || this.#closing !== undefined) return;
    this.#up = false;
    this.#emit({ kind: 'disconnected' });
  }

  /** Tells it only when the server has seen every subscription. */
  async #restored(connection: NatsConnection | undefined): Promise<void> {
    try {
      await connection?.flush();
    } catch {
      return; // Broken again; the next time tells.
    }
    if (this.#up && this.#closing === undefined) this.#emit({ kind: 'restored' });
  }

  #emit(event: ContinuityBreak): void {
    this.#telemetry.broke(event);
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (err) {
        this.#options.logger?.error('bus.listener.failed', { err });
      }
    }
  }

  publish(subject: string, data: Uint8Array, headers?: Readonly<Record<string, string>>): void {
    checkSubject(subject);
    checkMessage(data, headers);
    const connection = this.#connection;
    if (connection === undefined || !this.#up || this.#closing !== undefined) {
      this.#telemetry.lost(this.#closing === undefined ? 'disconnected' : 'closed');
      return;
    }
    try {
      if (headers === undefined) connection.publish(subject, data);
      else connection.publish(subject, data, { headers: encodeHeaders(headers) });
      this.#telemetry.published(subject);
    } catch (err) {
      const tooLarge = data.byteLength > (connection.info?.max_payload ?? MAX_MESSAGE_BYTES);
      this.#telemetry.lost(tooLarge ? 'too_large' : 'failed');
      this.#options.logger?.warn('bus.publish.failed', {
        subject: firstToken(subject),
        reason: err instanceof Error ? err.message : 'unknown',
      });
    }
  }

  subscribe(pattern: string, handler: BusHandler, { queue }: { readonly queue?: string } = {}) {
    checkPattern(pattern);
    checkQueue(queue);
    if (this.#closing !== undefined) throw new Error('the bus is closed');
    const shared = this.#sharedFor(pattern, queue);
    // A closure of its own, so that one function may be subscribed twice.
    const own: BusHandler = message => handler(message);
    shared.handlers.add(own);
    shared.snapshot = undefined;
    this.#telemetry.subscriptions(++this.#handlers);
    return {
      unsubscribe: () => {
        if (!shared.handlers.delete(own)) return;
        shared.snapshot = undefined;
        this.#telemetry.subscriptions(--this.#handlers);
        if (shared.handlers.size === 0) this.#drop(shared);
      },
    };
  }

  #sharedFor(pattern: string, queue: string | undefined): Shared {
    const known = queue === undefined ? this.#byPattern.get(pattern) : undefined;
    if (known !== undefined) return known;
    const exact = !pattern.includes('*') && !pattern.endsWith('>');
    const shared: Shared = {
      pattern,
      queue,
      exact,
      handlers: new Set(),
      snapshot: undefined,
      subscription: undefined,
    };
    this.#all.add(shared);
    if (queue === undefined) this.#byPattern.set(pattern, shared);
    this.#subscribeAtServer(shared);
    return shared;
  }

  #subscribeAtServer(shared: Shared): void {
    const { pattern, queue } = shared;
    if (this.#connection === undefined || this.#connection.isClosed()) return;
    shared.subscription = this.#connection.subscribe(pattern, {
      callback: (err, msg) => {
        if (err === null) this.#receive(shared, msg);
        // An error ends the subscription; the status told it.
        else this.#askAgain(shared);
      },
      ...(queue !== undefined && { queue }),
    });
  }

  /** Nobody would notice when the permission comes: the library forgets what was refused. */
  #askAgain(shared: Shared): void {
    shared.subscription = undefined;
    this.#options.clock.timer(this.#options.deniedRetryMs ?? 10_000, () => {
      if (this.#all.has(shared) && shared.subscription === undefined && this.#closing === undefined)
        this.#subscribeAtServer(shared);
    });
  }

  #drop(shared: Shared): void {
    this.#all.delete(shared);
    if (shared.queue === undefined) this.#byPattern.delete(shared.pattern);
    shared.subscription?.unsubscribe();
    shared.subscription = undefined;
  }

  #receive(shared: Shared, msg: Msg): void {
    shared.snapshot ??= [...shared.handlers];
    const message = toMessage(shared, msg);
    for (const handler of shared.snapshot) {
      if (!shared.handlers.has(handler)) continue;
      this.#telemetry.received(message.subject);
      this.#telemetry.deliver(handler, message);
    }
  }

  async flush(): Promise<void> {
    if (this.#closing !== undefined) throw new Error('the bus is closed');
    const limit = this.#options.flushTimeoutMs ?? 5000;
    const { promise: expired, reject } = Promise.withResolvers<never>();
    expired.catch(() => {});
    let over = false;
    const timer = this.#options.clock.timer(limit, () => {
      over = true;
      reject(new Error(`the bus did not answer within ${limit} ms`));
    });
    try {
      while (!over && this.#closing === undefined) {
        if (!this.#up) await Promise.race([expired, new Promise<void>(resolve => this.#waiters.push(resolve))]);
        // A connection that breaks meanwhile rejects: then it is tried again on the next one.
        const answered = await Promise.race([expired, this.#roundTrip()]);
        if (answered) return;
      }
      throw new Error('the bus is closed');
    } finally {
      timer.cancel();
      this.#telemetry.settle();
    }
  }

  async #roundTrip(): Promise<boolean> {
    const connection = this.#connection;
    try {
      await connection?.flush();
      return connection !== undefined;
    } catch {
      // The status that tells the break may come a turn later.
      await new Promise(resolve => setImmediate(resolve));
      return false;
    }
  }

  onContinuity(listener: (event: ContinuityBreak) => void): () => void {
    const own = (event: ContinuityBreak) => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  async #shut(): Promise<void> {
    const connection = this.#connection;
    const { clock, flushTimeoutMs } = this.#options;
    if (connection !== undefined) {
      if (this.#up) {
        const limit = new Promise<void>(resolve => clock.timer(flushTimeoutMs ?? 5000, resolve));
        await Promise.race([limit, connection.flush().catch(() => {})]);
      }
      await connection.close().catch(() => {});
    }
    for (const go of this.#waiters.splice(0)) go();
    this.#telemetry.settle();
  }
}

function encodeHeaders(headers: Readonly<Record<string, string>>) {
  const encoded = createHeaders();
  for (const name in headers) encoded.set(name, headers[name] as string);
  return encoded;
}

function toMessage({ exact, pattern }: Shared, msg: Msg): BusMessage {
  const subject = exact ? pattern : msg.subject;
  const { data: view, headers } = msg;
  // The library hands out a view of the whole network read; whoever keeps it would keep up to 64 KB.
  const data = view.byteLength * 2 < view.buffer.byteLength ? new Uint8Array(view) : view;
  if (headers === undefined) return { subject, data };
  return { subject, data, headers: Object.fromEntries(headers.keys().map(name => [name, headers.get(name)])) };
}
