import type { Logger, Metrics } from '@parley/runtime';
import { parseChain } from './domain/place.ts';
import type { FindingKind } from './domain/walk.ts';

/** One helper for each thing that happens to the archive: log line, counter and gauge together. Never content. */
export type Telemetry = ReturnType<typeof createTelemetry>;

const FINDINGS: readonly FindingKind[] = [
  'missing_link',
  'broken_hash',
  'altered_content',
  'missing_content',
  'checkpoint_mismatch',
  'bad_signature',
  'checkpoint_copy_differs',
];
const STATES = ['unknown', 'archived', 'duplicate', 'conflict', 'not_accepted', 'parked'];

export function createTelemetry(parent: Logger, metrics: Metrics) {
  const logger = parent.child({ area: 'archive' });
  const links = metrics.counter({
    name: 'parley_archive_links_total',
    help: 'Links made, by state of the record (archived, duplicate, conflict, not_accepted, parked).',
    labels: ['state'],
  });
  const standingRefused = metrics.counter({
    name: 'parley_archive_standing_refused_total',
    help: 'Calls of people whose token still named a role that they had lost, or whose account was disabled, by code.',
    labels: ['code'],
  });
  const contents = metrics.counter({
    name: 'parley_archive_contents_total',
    help: 'Contents kept: one for every record that is no repetition.',
  });
  const lag = metrics.gauge({
    name: 'parley_archive_lag_records',
    help: 'Records of a partition that were in the log and not archived when the last batch was done.',
    labels: ['partition'],
  });
  const parked = metrics.gauge({
    name: 'parley_archive_parked_records',
    help: 'Records that could not be read and are kept as bytes, counted to 100,000 at the start, when one is parked and with the status.',
  });
  const alarms = metrics.counter({
    name: 'parley_archive_alarms_total',
    help: 'Things that must never be, by kind (link_differs, gap, head_differs, copy_differs, audit_differs, audit_findings).',
    labels: ['kind'],
  });
  const checkpointTime = metrics.gauge({
    name: 'parley_archive_checkpoint_timestamp_seconds',
    help: 'When the last checkpoint of a partition was signed, seconds since 1970-01-01 UTC.',
    labels: ['partition'],
  });
  const checkpoints = metrics.counter({
    name: 'parley_archive_checkpoints_total',
    help: 'Checkpoints, by result (ok, failed).',
    labels: ['result'],
  });
  const trimmed = metrics.gauge({
    name: 'parley_archive_trimmed_offset',
    help: 'Offset below which a partition of the log was removed.',
    labels: ['partition'],
  });
  const verifications = metrics.counter({
    name: 'parley_archive_verifications_total',
    help: 'Verifications that ran to their end, by result (intact, findings).',
    labels: ['result'],
  });
  const findings = metrics.counter({
    name: 'parley_archive_findings_total',
    help: 'Findings of verifications, by kind.',
    labels: ['kind'],
  });
  const verifiedAt = metrics.gauge({
    name: 'parley_archive_verified_timestamp_seconds',
    help: 'When the last verification that archiving made by itself ended, seconds since 1970-01-01 UTC.',
  });
  const verificationDue = metrics.gauge({
    name: 'parley_archive_verification_due_timestamp_seconds',
    help: 'When the next verification that archiving makes by itself is due, seconds since 1970-01-01 UTC; past until it has ended, 0 when none is made.',
  });
  const verifyFailures = metrics.counter({
    name: 'parley_archive_verify_failures_total',
    help: 'Verifications that archiving began by itself and could not finish; they are made again.',
  });
  const indexed = metrics.counter({
    name: 'parley_archive_indexed_records_total',
    help: 'Records put into the index of contents.',
  });
  const notIndexed = metrics.gauge({
    name: 'parley_archive_not_indexed_records',
    help: 'Records of a partition that were archived and could not be found by words when the last step of the index was done.',
    labels: ['partition'],
  });
  const indexFailures = metrics.counter({
    name: 'parley_archive_index_failures_total',
    help: 'Steps of the index that failed and are repeated.',
  });
  const reads = metrics.counter({
    name: 'parley_archive_reads_total',
    help: 'Looks into the archive that were answered or refused after they were written to the audit log, by action (search, view, export) and result (ok, refused).',
    labels: ['action', 'result'],
  });
  const exported = metrics.counter({
    name: 'parley_archive_exported_records_total',
    help: 'Records written to exports.',
  });
  const audits = metrics.counter({
    name: 'parley_archive_audit_entries_total',
    help: 'Entries written to the audit log, by action (search, view, export, export_done, verify).',
    labels: ['action'],
  });
  const auditFailures = metrics.counter({
    name: 'parley_archive_audit_failures_total',
    help: 'Entries that could not be written to the audit log; what they were for was refused.',
  });
  // A counter that begins with its first finding would never be seen to increase.
  for (const kind of FINDINGS) findings.inc({ kind }, 0);
  for (const kind of ['link_differs', 'gap', 'head_differs', 'copy_differs', 'audit_differs', 'audit_findings'])
    alarms.inc({ kind }, 0);

  return {
    archived(entries: readonly { readonly state: number }[]) {
      const counts = [0, 0, 0, 0, 0, 0];
      for (const { state } of entries) counts[state] = (counts[state] ?? 0) + 1;
      counts.forEach((n, state) => n > 0 && links.inc({ state: STATES[state] ?? 'unknown' }, n));
      const kept = entries.length - (counts[2] ?? 0);
      if (kept > 0) contents.inc(undefined, kept);
      for (const state of [3, 5]) {
        const count = counts[state] ?? 0;
        if (count > 0) logger.warn(`archive.record.${STATES[state] ?? ''}`, { count });
      }
    },
    lag(partition: number, records: number) {
      lag.set(records, { partition: String(partition) });
    },
    parked(count: number) {
      parked.set(count);
    },
    linkDiffers(place: string, what: 'record' | 'chain') {
      alarms.inc({ kind: 'link_differs' });
      logger.error('archive.link.differs', { place, what });
    },
    gap(chain: string, from: number, to: number) {
      alarms.inc({ kind: 'gap' });
      logger.error('archive.log.gap', { chain, from, to });
    },
    standingRefused(person: string, code: string) {
      standingRefused.inc({ code });
      logger.warn('archive.standing.refused', { person, code });
    },
    headDiffers(chain: string, next: number) {
      alarms.inc({ kind: 'head_differs' });
      logger.error('archive.head.differs', { chain, next });
    },
    copyDiffers(chain: string) {
      alarms.inc({ kind: 'copy_differs' });
      logger.error('archive.checkpoint.copy_differs', { chain });
    },
    checkpointed(partition: number, next: number, atMs: number) {
      checkpoints.inc({ result: 'ok' });
      checkpointTime.set(atMs / 1_000, { partition: String(partition) });
      logger.debug('archive.checkpoint.signed', { partition, next });
    },
    checkpointFailed(partition: number, cause: unknown) {
      checkpoints.inc({ result: 'failed' });
      logger.error('archive.checkpoint.failed', { partition, err: cause });
    },
    sealed(chain: string, next: number) {
      checkpoints.inc({ result: 'ok' });
      logger.info('archive.chain.sealed', { chain, next });
    },
    sealFailed(cause: unknown) {
      checkpoints.inc({ result: 'failed' });
      logger.error('archive.chain.seal_failed', { err: cause });
    },
    trimmed(partition: number, below: number) {
      trimmed.set(below, { partition: String(partition) });
      logger.info('archive.log.trimmed', { partition, below });
    },
    consumerWaits(cause: unknown) {
      logger.error('archive.consumer.waits', { err: cause });
    },
    indexed(records: number) {
      if (records > 0) indexed.inc(undefined, records);
    },
    notIndexed(chain: string, records: number) {
      notIndexed.set(records, { partition: String(parseChain(chain)?.partition ?? '') });
    },
    indexFailed(chain: string, cause: unknown) {
      indexFailures.inc();
      logger.error('archive.index.failed', { chain, err: cause });
    },
    read(action: 'search' | 'view' | 'locate' | 'export', by: string, auditId: string, refusal: string | undefined) {
      reads.inc({ action, result: refusal === undefined ? 'ok' : 'refused' });
      logger.info('archive.read', { action, by, audit: auditId, ...(refusal !== undefined && { refusal }) });
    },
    located(by: string, place: string) {
      logger.info('archive.record.located', { by, place });
    },
    exported(by: string, records: number, files: number, complete: boolean) {
      if (records > 0) exported.inc(undefined, records);
      logger.info('archive.export.ended', { by, records, files, complete });
    },
    audited(action: string, number: number) {
      audits.inc({ action });
      logger.debug('archive.audit.written', { action, number });
    },
    auditFailed(cause: unknown) {
      auditFailures.inc();
      logger.error('archive.audit.failed', { err: cause });
    },
    auditDiffers(entries: number, stated: number) {
      alarms.inc({ kind: 'audit_differs' });
      logger.error('archive.audit.differs', { entries, stated });
    },
    verifyStarted(by: string) {
      logger.info('archive.verify.started', { by });
    },
    finding(kind: string, place: string) {
      findings.inc({ kind });
      logger.error('archive.verify.finding', { kind, place });
    },
    auditFindings(findings: readonly string[]) {
      alarms.inc({ kind: 'audit_findings' }, findings.length);
      for (const finding of findings) logger.error('archive.audit.finding', { finding });
    },
    verifyFailed(cause: unknown) {
      verifyFailures.inc();
      logger.error('archive.verify.failed', { err: cause });
    },
    verifiedByItself(atMs: number) {
      verifiedAt.set(atMs / 1_000);
    },
    verificationDue(atMs: number) {
      verificationDue.set(atMs / 1_000);
    },
    verified(intact: boolean, linkCount: number, findingCount: number) {
      verifications.inc({ result: intact ? 'intact' : 'findings' });
      logger.info('archive.verify.ended', { intact, links: linkCount, findings: findingCount });
    },
  };
}
