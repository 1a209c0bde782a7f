import type { Logger, Metrics } from '@parley/runtime';
import type { Lane } from './domain/archiving.ts';

/** One helper for each thing that happens to messages: log line, counter and gauge together. Nothing said by anybody. */
export type Telemetry = ReturnType<typeof createTelemetry>;

export function createTelemetry(parent: Logger, metrics: Metrics) {
  const logger = parent.child({ area: 'im' });
  const sent = metrics.counter({
    name: 'parley_im_sent_total',
    help: 'Messages stored and acknowledged, by archiving lane.',
    labels: ['lane'],
  });
  const sendSeconds = metrics.histogram({
    name: 'parley_im_send_seconds',
    help: 'From the arrival of a message to its acknowledgement, seconds.',
    labels: ['lane'],
  });
  const replayed = metrics.counter({
    name: 'parley_im_replayed_total',
    help: 'Repeated sends answered with the stored result.',
  });
  const refused = metrics.counter({
    name: 'parley_im_refused_total',
    help: 'Sends refused, by code.',
    labels: ['code'],
  });
  const pending = metrics.gauge({
    name: 'parley_im_archive_pending_messages',
    help: 'Stored messages that the archive log still lacks, counted to 10,000.',
  });
  const relayed = metrics.counter({
    name: 'parley_im_archive_relayed_total',
    help: 'Messages relayed to the archive log after they were stored.',
  });
  const appendFailed = metrics.counter({
    name: 'parley_im_archive_append_failed_total',
    help: 'Appends to the archive log that failed, by outcome (refused, unknown).',
    labels: ['outcome'],
  });
  const breaker = metrics.gauge({
    name: 'parley_im_archive_breaker_open',
    help: '1 while nobody waits for the archive log, else 0.',
  });
  const lag = metrics.gauge({
    name: 'parley_im_archive_lag_records',
    help: 'Records in the archive log that archiving has not taken yet, as im sees it.',
  });
  const reconciled = metrics.counter({
    name: 'parley_im_reconciled_total',
    help: 'Logged records that needed the reconciler, by result (completed, not_accepted, reaccepted, unreadable).',
    labels: ['result'],
  });
  const rekeyed = metrics.counter({
    name: 'parley_im_rekeyed_total',
    help: 'Messages that became visible too late for their key and got a new one.',
  });
  const offset = metrics.gauge({
    name: 'parley_im_store_clock_offset_seconds',
    help: "What has to be added to this process's monotonic clock to get the store's time, seconds.",
  });
  const clockFailed = metrics.counter({
    name: 'parley_im_store_clock_failed_total',
    help: "Failed measurements of the store's time.",
  });
  const people = metrics.counter({
    name: 'parley_im_people_fetched_total',
    help: 'People fetched from the directory for the cache, by result (ok, failed, discarded).',
    labels: ['result'],
  });
  const read = metrics.counter({
    name: 'parley_im_events_read_total',
    help: 'Events given out, by call (sync, history).',
    labels: ['call'],
  });

  const readersRefused = metrics.counter({
    name: 'parley_im_readers_refused_total',
    help: 'Syncs and looks at history by people who were disabled or deleted.',
  });

  return {
    readerRefused() {
      readersRefused.inc();
      logger.info('im.reader.refused');
    },
    sent(lane: Lane, seconds: number) {
      const labels = lanes[lane];
      sent.inc(labels);
      sendSeconds.observe(seconds, labels);
    },
    replayed() {
      replayed.inc();
    },
    refused(code: string) {
      refused.inc({ code });
    },
    storedPending(eventId: string, outcome: 'refused' | 'unknown') {
      logger.debug('im.message.archive_pending', { eventId, outcome });
    },
    pending(count: number) {
      pending.set(count);
    },
    relayed(count: number) {
      relayed.inc(undefined, count);
      logger.info('im.archive.relayed', { count });
    },
    appendFailed(outcome: 'refused' | 'unknown', cause: unknown) {
      appendFailed.inc({ outcome });
      logger.warn('im.archive.append_failed', { outcome, reason: reasonOf(cause) });
    },
    breaker(open: boolean) {
      breaker.set(open ? 1 : 0);
      if (open) logger.error('im.archive.breaker_opened');
      else logger.info('im.archive.breaker_closed');
    },
    lag(records: number) {
      lag.set(records);
    },
    lagUnreadable(cause: unknown) {
      logger.warn('im.archive.lag_unreadable', { reason: reasonOf(cause) });
    },
    criticalRefused(reason: string) {
      logger.warn('im.message.critical_refused', { reason });
    },
    reconciled(result: 'completed' | 'not_accepted' | 'reaccepted' | 'unreadable', recordId: string, reason?: string) {
      reconciled.inc({ result });
      logger.warn('im.message.reconciled', { result, recordId, reason });
    },
    rekeyed(eventId: string) {
      rekeyed.inc();
      logger.warn('im.message.rekeyed', { eventId });
    },
    outcomeUnknown(eventId: string, cause: unknown) {
      logger.warn('im.message.outcome_unknown', { eventId, reason: reasonOf(cause) });
    },
    clockMeasured(offsetMs: number) {
      offset.set(offsetMs / 1000);
    },
    clockFailed(cause: unknown) {
      clockFailed.inc();
      logger.warn('im.store_clock.failed', { reason: reasonOf(cause) });
    },
    peopleFetched(result: 'ok' | 'failed' | 'discarded', count: number, cause?: unknown) {
      people.inc({ result }, count);
      if (result === 'failed') logger.warn('im.people.fetch_failed', { count, reason: reasonOf(cause) });
    },
    read(call: 'sync' | 'history', count: number) {
      read.inc({ call }, count);
    },
    reconcilerWaits(cause: unknown) {
      logger.warn('im.reconciler.waits', { reason: reasonOf(cause) });
    },
    refusalsKept(cause: unknown) {
      logger.warn('im.refusals.not_forgotten', { reason: reasonOf(cause) });
    },
    relayFailed(cause: unknown) {
      logger.warn('im.archive.relay_failed', { reason: reasonOf(cause) });
    },
  };
}

const lanes = { none: { lane: 'none' }, archived: { lane: 'archived' }, critical: { lane: 'critical' } } as const;

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { code } = cause as { code?: unknown };
  return typeof code === 'string' ? code : cause.message;
}
