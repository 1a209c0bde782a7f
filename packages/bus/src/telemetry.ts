import type { Clock, Counter, Logger, Metrics } from '@parley/runtime';
import type { BusHandler, BusMessage, ContinuityBreak } from './bus.ts';
import { firstToken } from './message.ts';

/** Why a message that was published was not handed over. */
export type LossReason = 'disconnected' | 'closed' | 'too_large' | 'failed' | 'denied';

/** One helper for each thing that happens on a bus: log line and counter together. */
export interface BusTelemetry {
  published(subject: string): void;
  received(subject: string): void;
  lost(reason: LossReason): void;
  broke(event: ContinuityBreak): void;
  /** The server does not let us publish, or subscribe to, a subject. */
  denied(operation: 'publish' | 'subscription', subject: string): void;
  /** Calls `handler`; what it throws is counted and logged, never passed on. */
  deliver(handler: BusHandler, message: BusMessage): void;
  /** Patterns subscribed now. */
  subscriptions(count: number): void;
  /** Hands what was counted to the registry; happens by itself within a second. */
  settle(): void;
}

/** What a bus may be given to tell what it does; without it, it is silent. */
export interface BusTelemetryDeps {
  readonly clock: Clock;
  readonly logger: Logger | undefined;
  readonly metrics: Metrics | undefined;
}

/** Telemetry of one bus. Labels carry the first token of a subject only. */
export function createBusTelemetry({ clock, logger, metrics }: BusTelemetryDeps): BusTelemetry {
  const counters = metrics && defineMetrics(metrics);
  const published = tallyBySubject(counters?.published, clock);
  const received = tallyBySubject(counters?.received, clock);
  const failures = quietErrors(logger, clock, 'bus.handler.failed');
  const denials = quietErrors(logger, clock, 'bus.permission.denied');

  return {
    published: published.add,
    received: received.add,
    lost: reason => counters?.lost.inc({ reason }),
    broke(event) {
      counters?.breaks.inc({ kind: event.kind });
      const fields = { kind: event.kind, pattern: 'pattern' in event ? firstToken(event.pattern) : undefined };
      if (event.kind === 'restored') logger?.info('bus.continuity.restored', fields);
      else logger?.warn('bus.continuity.broken', fields);
    },
    denied(operation, subject) {
      const labels = { operation, subject: firstToken(subject) };
      counters?.denied.inc(labels);
      if (operation === 'publish') counters?.lost.inc({ reason: 'denied' });
      denials.tell(`${operation} ${labels.subject}`, labels);
    },
    deliver(handler, message) {
      try {
        handler(message);
      } catch (err) {
        const subject = firstToken(message.subject);
        counters?.handlerErrors.inc({ subject });
        failures.tell(subject, { subject, err });
      }
    },
    subscriptions: count => counters?.subscriptions.set(count),
    settle() {
      published.settle();
      received.settle();
    },
  };
}

function defineMetrics(metrics: Metrics) {
  return {
    published: metrics.counter<'subject'>({
      name: 'parley_bus_published_total',
      help: 'Messages published, by first token of the subject.',
      labels: ['subject'],
    }),
    received: metrics.counter<'subject'>({
      name: 'parley_bus_received_total',
      help: 'Messages delivered to handlers, by first token of the subject.',
      labels: ['subject'],
    }),
    lost: metrics.counter<'reason'>({
      name: 'parley_bus_lost_total',
      help: 'Messages that were published but could not be handed over, by reason.',
      labels: ['reason'],
    }),
    breaks: metrics.counter<'kind'>({
      name: 'parley_bus_breaks_total',
      help: 'Continuity breaks: moments at which messages may have been lost, by kind.',
      labels: ['kind'],
    }),
    denied: metrics.counter<'operation' | 'subject'>({
      name: 'parley_bus_denied_total',
      help: 'Refusals of NATS to let this process publish or subscribe, by first token of the subject. Its user lacks a permission.',
      labels: ['operation', 'subject'],
    }),
    handlerErrors: metrics.counter<'subject'>({
      name: 'parley_bus_handler_errors_total',
      help: 'Exceptions thrown by handlers, by first token of the subject.',
      labels: ['subject'],
    }),
    subscriptions: metrics.gauge({
      name: 'parley_bus_subscriptions',
      help: 'Subscriptions this process holds.',
    }),
  };
}

const QUIET_MS = 10_000;

/** The first of each kind at once, then one in ten seconds: what fails once fails thousands of times. */
function quietErrors(logger: Logger | undefined, clock: Clock, event: string) {
  const told = new Map<string, { readonly at: number; suppressed: number }>();
  return {
    tell(kind: string, fields: Readonly<Record<string, unknown>>) {
      const last = told.get(kind);
      if (last !== undefined && clock.monotonic() - last.at < QUIET_MS) {
        last.suppressed++;
        return;
      }
      told.set(kind, { at: clock.monotonic(), suppressed: 0 });
      logger?.error(event, { ...fields, suppressed: last?.suppressed ?? 0 });
    },
  };
}

const SETTLE_MS = 1000;

/** Counts in a plain Map and hands the sums over once a second, because a labelled counter costs more than a delivery. */
function tallyBySubject(counter: Counter<'subject'> | undefined, clock: Clock) {
  const tallies = new Map<string, { readonly labels: { readonly subject: string }; n: number }>();
  let armed = false;

  const settle = () => {
    armed = false;
    for (const tally of tallies.values()) {
      if (tally.n > 0) counter?.inc(tally.labels, tally.n);
      tally.n = 0;
    }
  };
  const add = (subject: string) => {
    if (counter === undefined) return;
    const token = firstToken(subject);
    let tally = tallies.get(token);
    if (tally === undefined) {
      tally = { labels: { subject: token }, n: 0 };
      tallies.set(token, tally);
    }
    tally.n++;
    if (!armed) {
      armed = true;
      clock.timer(SETTLE_MS, settle);
    }
  };
  return { add, settle };
}
