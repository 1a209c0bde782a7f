import { ParleyError } from '@parley/rpc';
import type { Counter, Logger, Metrics } from '@parley/runtime';
import type { EndReason } from './domain/end-reason.ts';
import type { HintLoss } from './ports/hints.ts';

/** Kinds of event that are sent so often that they are counted in plain numbers and handed over once a second. */
export type SentKind = 'presence' | 'im' | 'heartbeat' | 'control';

/** Who a line is about. */
export interface Subject {
  readonly sessionId: string;
  readonly personId: string;
}

/** What happens in this service: for each kind of event one helper that writes log line and counter together. */
export interface SessionEvents {
  opened(who: Subject, facts: { readonly requestId: string; readonly client: string; readonly watches: number }): void;
  refused(code: string, requestId: string): void;
  ended(who: Subject, reason: EndReason, livedMs: number): void;
  sent(kind: SentKind, n?: number): void;
  dropped(kind: SentKind, n?: number): void;
  slowReader(who: Subject): void;
  resynced(reason: 'continuity' | 'slow_reader', sessions: number): void;
  reconnectAsked(cause: 'lease_lapsed' | 'endpoint_lost' | 'stopping', sessions: number): void;
  forwarded(command: string, outcome: 'forwarded' | 'refused'): void;
  commanded(command: string, code: string): void;
  /** A command for a session of somebody else. */
  foreignCommand(who: Subject): void;
  change(outcome: 'forwarded' | 'old' | 'stale' | 'resolve' | 'unreadable'): void;
  resolved(people: number): void;
  resolveFailed(error: unknown, retried: boolean): void;
  digestsCompared(views: number, repaired: number): void;
  digestsFailed(error: unknown): void;
  signInsChecked(signIns: number, ended: number): void;
  signInCheckFailed(error: unknown, sinceMs: number): void;
  leaseRenewed(): void;
  leaseFailed(error: unknown, sinceMs: number): void;
  endpointCloseFailed(error: unknown, pending: number, retried: boolean): void;
  hintsLost(loss: HintLoss): void;
  flushFailed(error: unknown): void;
  /** Sizes of what the pod holds. */
  sizes(sizes: { readonly sessions: number; readonly watches: number; readonly views: number }): void;
  /** Hands over what `sent`, `dropped` and `change` counted. */
  settle(): void;
}

/** A word for what went wrong, fit for a label. */
export function kindOf(error: unknown): string {
  return error instanceof ParleyError ? error.kind : 'internal';
}

/** Callers hand over whole sessions, which hold tokens. */
const idsOf = ({ sessionId, personId }: Subject) => ({ sessionId, personId });

const message = (error: unknown) => (error instanceof Error ? error.message : String(error));

export function createSessionEvents(logger: Logger, metrics: Metrics): SessionEvents {
  const m = defineMetrics(metrics);
  const sent = tally(m.sent, 'kind');
  const dropped = tally(m.dropped, 'kind');
  const changes = tally(m.changes, 'outcome');
  return {
    opened(who, facts) {
      m.connects.inc({ outcome: 'opened' });
      logger.info('session.opened', { ...idsOf(who), ...facts });
    },
    refused(code, requestId) {
      m.connects.inc({ outcome: code });
      logger.info('session.refused', { code, requestId });
    },
    ended(who, reason, livedMs) {
      m.ends.inc({ reason });
      logger.info('session.ended', { ...idsOf(who), reason, livedMs: Math.round(livedMs) });
    },
    sent: sent.add,
    dropped: dropped.add,
    slowReader(who) {
      m.slowReaders.inc();
      logger.info('session.slow_reader', idsOf(who));
    },
    resynced(reason, sessions) {
      m.resyncs.inc({ reason }, sessions);
      if (reason === 'continuity') logger.warn('session.resync', { reason, sessions });
      else logger.info('session.resync', { reason, sessions });
    },
    reconnectAsked(cause, sessions) {
      m.reconnects.inc({ cause }, sessions);
      logger.info('session.reconnect', { cause, sessions });
    },
    forwarded(command, outcome) {
      m.forwards.inc({ command, outcome });
      logger.debug('session.command.forwarded', { command, outcome });
    },
    commanded(command, code) {
      m.commands.inc({ command, outcome: code || 'done' });
      logger.debug('session.command.done', { command, code });
    },
    foreignCommand(who) {
      m.commands.inc({ command: 'any', outcome: 'foreign' });
      logger.warn('session.command.foreign', idsOf(who));
    },
    change: changes.add,
    resolved(people) {
      m.resolves.inc({ outcome: 'done' });
      logger.debug('session.resolved', { people });
    },
    resolveFailed(error, retried) {
      m.resolves.inc({ outcome: retried ? 'failed' : 'refused' });
      logger.warn('session.resolve.failed', { kind: kindOf(error), message: message(error), retried });
    },
    digestsCompared(views, repaired) {
      m.digests.inc({ outcome: 'done' });
      m.repairs.inc(undefined, repaired);
      logger.debug('session.digests.compared', { views, repaired });
    },
    digestsFailed(error) {
      m.digests.inc({ outcome: 'failed' });
      logger.warn('session.digests.failed', { kind: kindOf(error), message: message(error) });
    },
    signInsChecked(signIns, ended) {
      m.signInChecks.inc({ outcome: 'done' });
      m.signInAge.set(0);
      logger.debug('session.sign_ins.checked', { signIns, ended });
    },
    signInCheckFailed(error, sinceMs) {
      m.signInChecks.inc({ outcome: 'failed' });
      m.signInAge.set(sinceMs / 1000);
      logger.warn('session.sign_ins.failed', {
        kind: kindOf(error),
        message: message(error),
        sinceMs: Math.round(sinceMs),
      });
    },
    leaseRenewed() {
      m.leases.inc({ outcome: 'done' });
      logger.debug('session.lease.renewed');
    },
    leaseFailed(error, sinceMs) {
      m.leases.inc({ outcome: 'failed' });
      logger.warn('session.lease.failed', {
        kind: kindOf(error),
        message: message(error),
        sinceMs: Math.round(sinceMs),
      });
    },
    endpointCloseFailed(error, pending, retried) {
      m.closes.inc({ outcome: retried ? 'failed' : 'refused' });
      logger.warn('session.endpoint.close_failed', {
        kind: kindOf(error),
        message: message(error),
        pending,
        retried,
      });
    },
    hintsLost(loss) {
      m.losses.inc({ loss });
      logger.warn('session.hints.lost', { loss });
    },
    flushFailed(error) {
      m.losses.inc({ loss: 'flush' });
      logger.warn('session.hints.flush_failed', { message: message(error) });
    },
    sizes(sizes) {
      m.sessions.set(sizes.sessions);
      m.watches.set(sizes.watches);
      m.views.set(sizes.views);
    },
    settle() {
      sent.settle();
      dropped.settle();
      changes.settle();
    },
  };
}

function defineMetrics(metrics: Metrics) {
  const counter = <L extends string>(name: string, help: string, ...labels: L[]) =>
    metrics.counter<L>({ name: `parley_session_${name}_total`, help, labels });
  const gauge = (name: string, help: string) => metrics.gauge({ name: `parley_session_${name}`, help });
  return {
    connects: counter('connects', 'Streams opened and refused, by outcome (opened or code of the refusal).', 'outcome'),
    ends: counter('ends', 'Streams that ended, by reason.', 'reason'),
    sent: counter('events_sent', 'Events handed to streams, by kind.', 'kind'),
    dropped: counter('events_dropped', 'Events not handed to a stream because its reader was slow, by kind.', 'kind'),
    slowReaders: counter('slow_readers', 'Times that a stream passed the limit of its queue.'),
    resyncs: counter('resyncs', 'Streams asked to synchronise, by reason.', 'reason'),
    reconnects: counter('reconnects', 'Streams asked to connect again, by cause.', 'cause'),
    forwards: counter(
      'command_forwards',
      'Commands received from clients, by command and outcome.',
      'command',
      'outcome',
    ),
    commands: counter(
      'commands',
      'Commands carried out by the stream they were meant for, by outcome.',
      'command',
      'outcome',
    ),
    changes: counter('presence_changes', 'Changes of presence received, by what became of them.', 'outcome'),
    resolves: counter('resolves', 'Requests that asked presence who may see what, by outcome.', 'outcome'),
    digests: counter('digest_runs', 'Comparisons of all views with presence, by outcome.', 'outcome'),
    repairs: counter('digest_repairs', 'Views that the bus had lost and a comparison found.'),
    signInChecks: counter('sign_in_checks', 'Checks of the sign-ins of open streams, by outcome.', 'outcome'),
    signInAge: gauge('sign_in_check_age_seconds', 'Seconds since the sign-ins of open streams were last checked.'),
    leases: counter('lease_renewals', 'Renewals of the lease on the devices of this process, by outcome.', 'outcome'),
    closes: counter('endpoint_close_failures', 'Failures to tell presence that a device went, by outcome.', 'outcome'),
    losses: counter('hint_losses', 'Times that hints may have been lost, by kind of loss.', 'loss'),
    sessions: gauge('open_sessions', 'Streams that are open.'),
    watches: gauge('watches', 'Watches of all streams together.'),
    views: gauge('views', 'Views of people kept for watchers.'),
  };
}

/** Counts in plain numbers; a labelled counter would cost more than a delivery. */
function tally<L extends string, K extends string>(counter: Counter<L>, label: L) {
  const counts = new Map<K, number>();
  return {
    add: (kind: K, n = 1) => void counts.set(kind, (counts.get(kind) ?? 0) + n),
    settle() {
      for (const [kind, n] of counts) {
        if (n > 0) counter.inc({ [label]: kind as string } as Record<L, string>, n);
        counts.set(kind, 0);
      }
    },
  };
}
