import type { Logger, Metrics } from '@parley/runtime';
import type { Level } from './domain/person.ts';

/** Why a document changed. */
export type Cause = 'choice' | 'note' | 'endpoint' | 'time' | 'lease';

/** What happens in presence: each helper writes log line and metrics together. Nothing here says who is in what state. */
export function createEvents(logger: Logger, metrics: Metrics) {
  const m = defineMetrics(metrics);
  return {
    published(level: Level, cause: Cause) {
      m.publishes.inc({ level, cause });
      logger.debug('presence.published', { level, cause });
    },
    chosen(kind: 'state' | 'reset' | 'note', replayed: boolean) {
      m.choices.inc({ kind, replayed: replayed ? 'yes' : 'no' });
      logger.debug('presence.chosen', { kind, replayed });
    },
    endpointOpened(kind: 'new' | 'takeover' | 'replay') {
      m.opened.inc({ kind });
      logger.debug('presence.endpoint.opened', { kind });
    },
    endpointClosed(reason: 'signed_out' | 'lost') {
      m.closed.inc({ reason });
      logger.debug('presence.endpoint.closed', { reason });
    },
    endpointsRemoved(count: number) {
      if (count === 0) return;
      m.closed.inc({ reason: 'grace_over' }, count);
      logger.debug('presence.endpoint.removed', { count });
    },
    connected(people: number) {
      m.connected.set(people);
    },
    conflict(cause: Cause) {
      m.conflicts.inc({ cause });
      logger.debug('presence.conflict', { cause });
    },
    leaseReleased(pod: string) {
      m.leases.inc({ change: 'released' });
      logger.info('presence.lease.released', { pod });
    },
    leaseRegained(pod: string) {
      m.leases.inc({ change: 'regained' });
      logger.warn('presence.lease.regained', { pod });
    },
    podLost(pod: string, people: number) {
      m.leases.inc({ change: 'ended' });
      logger.warn('presence.lease.ended', { pod, people });
    },
    digestsCompared(compared: number, changed: number) {
      m.digests.inc({ result: 'same' }, compared - changed);
      m.digests.inc({ result: 'changed' }, changed);
      logger.debug('presence.digests.compared', { compared, changed });
    },
    explained(by: string, viewer: string, target: string) {
      m.explained.inc();
      logger.info('presence.explained', { by, viewer, target });
    },
    watcherRefused() {
      m.refused.inc();
      logger.info('presence.watcher.refused');
    },
    accountRefused() {
      m.accountsRefused.inc();
      logger.info('presence.account.refused');
    },
    directoryFailed(err: unknown) {
      m.directoryFailures.inc();
      logger.warn('presence.directory.failed', { code: (err as { code?: string } | undefined)?.code ?? 'unknown' });
    },
    swept(seconds: number, changed: number) {
      m.sweepSeconds.observe(seconds);
      if (changed > 0) logger.debug('presence.swept', { changed });
    },
    sweepLag(ms: number) {
      m.sweepLag.set(Math.max(0, ms) / 1000);
    },
    sweepFailed(err: unknown, first: boolean) {
      m.sweepFailures.inc();
      if (first) logger.error('presence.sweep.failed', { err });
    },
    hintUnreadable(subject: string) {
      m.unreadable.inc({ subject });
      logger.warn('presence.hint.unreadable', { subject });
    },
    timeUnknown(err: unknown) {
      m.timeFailures.inc();
      logger.warn('presence.time.unknown', { code: (err as { code?: string } | undefined)?.code ?? 'unknown' });
    },
  };
}

export type PresenceEvents = ReturnType<typeof createEvents>;

function defineMetrics(metrics: Metrics) {
  const counter = <L extends string>(name: string, help: string, ...labels: L[]) =>
    metrics.counter<L>({ name: `parley_presence_${name}`, help, labels });
  return {
    publishes: counter('publishes_total', 'Views published, by level and cause.', 'level', 'cause'),
    choices: counter('choices_total', 'States, resets and notes set by hand.', 'kind', 'replayed'),
    opened: counter('endpoints_opened_total', 'Endpoints opened, by kind.', 'kind'),
    closed: counter('endpoints_closed_total', 'Endpoints closed or removed, by reason.', 'reason'),
    conflicts: counter('cas_conflicts_total', 'Writes that lost against another one, by cause.', 'cause'),
    leases: counter('leases_total', 'Leases of session pods that were released, ended or regained.', 'change'),
    digests: counter('digests_total', 'Views compared with what session pods have, by result.', 'result'),
    explained: counter(
      'explained_total',
      'Explanations given to those who administer of what one person sees of another.',
    ),
    refused: counter('watchers_refused_total', 'Looks at presence by unknown or disabled people.'),
    accountsRefused: counter(
      'accounts_refused_total',
      'Devices and changes of their own presence refused to people who were disabled or deleted.',
    ),
    directoryFailures: counter('directory_failures_total', 'Questions the directory did not answer.'),
    sweepFailures: counter('sweep_failures_total', 'Sweeps that failed.'),
    unreadable: counter('hints_unreadable_total', 'Bus messages that could not be read, by kind.', 'subject'),
    timeFailures: counter('time_failures_total', 'Failed measurements of the time of the database.'),
    connected: metrics.gauge({
      name: 'parley_presence_connected_people',
      help: 'People with an endpoint at each known session pod, added up over the pods.',
    }),
    sweepLag: metrics.gauge({
      name: 'parley_presence_sweep_lag_seconds',
      help: 'By how long the most overdue change of presence was late when the last sweep began, seconds.',
    }),
    sweepSeconds: metrics.histogram({
      name: 'parley_presence_sweep_seconds',
      help: 'Time one sweep took, seconds.',
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 1, 5, 30],
    }),
  };
}
