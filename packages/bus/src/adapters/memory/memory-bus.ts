import { type Clock, type Logger, type Metrics, systemClock } from '@parley/runtime';
import type { Bus, BusHandler, BusMessage, ContinuityBreak } from '../../bus.ts';
import { checkMessage, checkPattern, checkQueue, checkSubject } from '../../message.ts';
import { createBusTelemetry } from '../../telemetry.ts';
import { type BusFaults, createDelayLine } from './faults.ts';
import { createMatcher } from './matcher.ts';

/** How the memory bus is made. */
export interface MemoryBusOptions {
  /** Times held-back messages and counters; default the machine's clock. */
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Kept by reference: change its fields at any time. */
  readonly faults?: BusFaults;
}

/** A bus within the process, with faults on demand. */
export interface MemoryBus extends Bus {
  /** The faults given, or an empty set of them. */
  readonly faults: BusFaults;
  /** Loses what is published until {@link MemoryBus.restore}; listeners hear `disconnected`. */
  disconnect(): void;
  /** Ends {@link MemoryBus.disconnect}; listeners hear `restored`. */
  restore(): void;
  /** `disconnected` and `restored` at once, or the one event given. */
  breakContinuity(event?: ContinuityBreak): void;
}

interface Entry {
  readonly handler: BusHandler;
  readonly queue: string | undefined;
  open: boolean;
}

interface Parcel {
  readonly message: BusMessage;
  readonly targets: readonly Entry[];
}

/**
 * Delivers within the process: after the publisher's synchronous code, before anything else happens. Who gets a message
 * is decided when it is published. Data is handed over by reference: nobody may change it afterwards.
 */
export function createMemoryBus(options: MemoryBusOptions = {}): MemoryBus {
  const clock = options.clock ?? systemClock;
  const faults = options.faults ?? {};
  const telemetry = createBusTelemetry({ clock, logger: options.logger, metrics: options.metrics });
  const matcher = createMatcher<Entry>();
  const listeners = new Set<(event: ContinuityBreak) => void>();
  const delayed = createDelayLine<Parcel>(clock, parcel => enqueue(parcel));
  let queue: Parcel[] = [];
  let draining = false;
  let waiters: (() => void)[] = [];
  let up = true;
  let closed = false;
  let subscribed = 0;
  let turn = 0;

  function enqueue(parcel: Parcel): void {
    queue.push(parcel);
    if (draining) return;
    draining = true;
    queueMicrotask(drain);
  }

  function drain(): void {
    while (queue.length > 0) {
      const parcels = queue;
      queue = [];
      for (const parcel of parcels) deliver(parcel);
    }
    draining = false;
    const resolved = waiters;
    waiters = [];
    for (const resolve of resolved) resolve();
  }

  function deliver({ message, targets }: Parcel): void {
    let groups: Map<string, Entry[]> | undefined;
    for (const entry of targets) {
      if (!entry.open) continue;
      if (entry.queue === undefined) {
        telemetry.received(message.subject);
        telemetry.deliver(entry.handler, message);
        continue;
      }
      groups ??= new Map();
      const members = groups.get(entry.queue);
      if (members === undefined) groups.set(entry.queue, [entry]);
      else members.push(entry);
    }
    if (groups === undefined) return;
    for (const members of groups.values()) {
      const open = members.filter(entry => entry.open);
      const chosen = open[turn++ % Math.max(1, open.length)];
      if (chosen === undefined) continue;
      telemetry.received(message.subject);
      telemetry.deliver(chosen.handler, message);
    }
  }

  function emit(event: ContinuityBreak): void {
    telemetry.broke(event);
    for (const listener of [...listeners]) {
      try {
        listener(event);
      } catch (err) {
        options.logger?.error('bus.listener.failed', { err });
      }
    }
  }

  function send(parcel: Parcel): void {
    const { message } = parcel;
    if (faults.drop?.(message) === true) return;
    const copies = faults.duplicate?.(message) === true ? 2 : 1;
    const delayMs = faults.delay?.(message) ?? 0;
    for (let i = 0; i < copies; i++) {
      if (!delayed.take(message.subject, delayMs, parcel)) enqueue(parcel);
    }
  }

  const drained = () => (draining ? new Promise<void>(resolve => waiters.push(resolve)) : Promise.resolve());

  const bus: MemoryBus = {
    faults,
    get connected() {
      return up && !closed;
    },

    publish(subject, data, headers) {
      checkSubject(subject);
      checkMessage(data, headers);
      if (closed || !up) {
        telemetry.lost(closed ? 'closed' : 'disconnected');
        return;
      }
      telemetry.published(subject);
      const targets = matcher.match(subject);
      if (targets.length === 0) return;
      send({
        message: headers === undefined ? { subject, data } : { subject, data, headers: { ...headers } },
        targets,
      });
    },

    subscribe(pattern, handler, { queue: group } = {}) {
      checkPattern(pattern);
      checkQueue(group);
      if (closed) throw new Error('the bus is closed');
      const entry: Entry = { handler, queue: group, open: true };
      matcher.add(pattern, entry);
      telemetry.subscriptions(++subscribed);
      return {
        unsubscribe() {
          if (!entry.open) return;
          entry.open = false;
          matcher.remove(pattern, entry);
          telemetry.subscriptions(--subscribed);
        },
      };
    },

    async flush() {
      if (closed) throw new Error('the bus is closed');
      if (!up) throw new Error('the bus is not connected');
      await drained();
      telemetry.settle();
    },

    onContinuity(listener) {
      const own = (event: ContinuityBreak) => listener(event);
      listeners.add(own);
      return () => void listeners.delete(own);
    },

    disconnect() {
      if (!up || closed) return;
      up = false;
      emit({ kind: 'disconnected' });
    },

    restore() {
      if (up || closed) return;
      up = true;
      emit({ kind: 'restored' });
    },

    breakContinuity(event) {
      if (event !== undefined) return emit(event);
      bus.disconnect();
      bus.restore();
    },

    async close() {
      if (closed) return;
      closed = true;
      delayed.releaseAll();
      await drained();
      telemetry.settle();
    },
  };
  return bus;
}
