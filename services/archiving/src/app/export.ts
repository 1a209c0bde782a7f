import { hash } from 'node:crypto';
import type { CallContext } from '@parley/rpc';
import type { Clock } from '@parley/runtime';
import type { ArchivingConfig } from '../config.ts';
import type { AuditEntry, Purpose } from '../domain/audit-entry.ts';
import { DAY_MS, dayOf } from '../domain/index-block.ts';
import { archivingErrors } from '../errors.ts';
import type { CheckpointStore, ContentStore, LinkStore } from '../ports/archive-store.ts';
import type { CheckpointSigner } from '../ports/checkpoint-signer.ts';
import type { IndexStore } from '../ports/index-store.ts';
import type { MailWriter } from '../ports/mail-writer.ts';
import { type AskedQuery, describe, understand } from './asked-query.ts';
import { type AuditedDeps, callerOf, refusalOf } from './audited.ts';
import { type ChainExtent, extentsOf } from './chains.ts';
import { type Ref, recordsOfDay } from './day-records.ts';
import { ExportFiles, type ExportPiece } from './export-files.ts';
import { MailDraft } from './export-mail.ts';
import { ExportTally, manifestOf, signatureOf } from './export-manifest.ts';
import type { Gate } from './gate.ts';
import { type FoundRecord, matches, type ReadRecords } from './read-records.ts';
import { recordLine } from './record-line.ts';
import type { ResolvePeople } from './resolve-people.ts';

const READ_AT_ONCE = 50;

export type ExportFormat = 'eml' | 'jsonl';

export interface ExportDeps extends AuditedDeps {
  readonly clock: Clock;
  readonly links: LinkStore;
  readonly contents: ContentStore;
  readonly checkpoints: CheckpointStore;
  readonly index: IndexStore;
  readonly signer: CheckpointSigner;
  readonly read: ReadRecords;
  readonly resolve: ResolvePeople;
  readonly mails: MailWriter;
  readonly gate: Gate;
  readonly settle: (waitMs: number, signal: AbortSignal) => Promise<boolean>;
  readonly version: string;
  readonly settings: Pick<
    ArchivingConfig,
    'exportSettleMs' | 'maxExportFiles' | 'exportRefs' | 'mailRecords' | 'progressMs' | 'settlePollMs'
  >;
}

export interface ExportCommand {
  readonly purpose: Purpose;
  readonly query: AskedQuery;
  readonly format: ExportFormat;
  readonly context: CallContext;
}

export type ExportEvent =
  | ExportPiece
  | { readonly kind: 'progress'; readonly records: number; readonly lookedAt: number }
  | {
      readonly kind: 'result';
      readonly records: number;
      readonly files: number;
      readonly manifestHash: string;
      readonly auditId: string;
    };

/** Where each chain ends, and whether all that had been accepted was in them. */
interface Settled {
  readonly extents: readonly ChainExtent[];
  readonly whole: boolean;
}

const WAITING: ExportEvent = { kind: 'progress', records: 0, lookedAt: 0 };

/** Writes everything a query finds as files: as the archive was when the export began, page by page. */
export function createExport(deps: ExportDeps): (command: ExportCommand) => AsyncGenerator<ExportEvent> {
  const { audit, clock, index, links, checkpoints, contents, signer, read, mails, settings, telemetry } = deps;
  const { gate, people, resolve } = deps;

  /** Waits until all that was accepted is archived and indexed; says where each chain ends. */
  async function* settled(signal: AbortSignal): AsyncGenerator<ExportEvent, Settled> {
    const end = clock.monotonic() + settings.exportSettleMs;
    let whole = false;
    // In steps, so that nobody on the way takes a stream on which nothing happens for dead.
    do {
      yield WAITING;
      whole = await deps.settle(Math.max(0, Math.min(settings.progressMs, end - clock.monotonic())), signal);
    } while (!whole && clock.monotonic() < end);
    let toldMs = clock.monotonic();
    const wanted = await extentsOf(links, index);
    for (;;) {
      const now = new Map((await extentsOf(links, index)).map(extent => [extent.chain, extent.indexed]));
      const behind = wanted.reduce((sum, one) => sum + Math.max(0, one.next - (now.get(one.chain) ?? 0)), 0);
      if (behind === 0) return { extents: wanted, whole };
      if (clock.monotonic() >= end)
        throw archivingErrors('archive.index_behind', { params: { records: behind }, retryAfterMs: 10_000 });
      await clock.sleep(settings.settlePollMs, signal);
      if (clock.monotonic() - toldMs < settings.progressMs) continue;
      toldMs = clock.monotonic();
      yield WAITING;
    }
  }

  async function* run(command: ExportCommand, begun: AuditEntry, done: { records: number; files: number }) {
    const { purpose, format, context } = command;
    const { signal } = context;
    const query = await understand(command.query, resolve, context);
    const { extents, whole } = yield* settled(signal);
    const snapshot = { query, ends: new Map(extents.map(({ chain, next }) => [chain, next])), signal };
    const tally = new ExportTally(
      new Map(await Promise.all(extents.map(async ({ chain }) => [chain, await checkpoints.last(chain)] as const))),
    );
    const out = new ExportFiles();
    let reportedAt = clock.monotonic();

    async function* progress(): AsyncGenerator<ExportEvent> {
      signal.throwIfAborted();
      if (out.files.length > settings.maxExportFiles)
        throw archivingErrors('archive.export_too_large', { params: { limit: settings.maxExportFiles } });
      if (clock.monotonic() - reportedAt < settings.progressMs) return;
      reportedAt = clock.monotonic();
      yield { kind: 'progress', records: tally.records, lookedAt: tally.lookedAt };
    }

    async function wantedOf(refs: readonly Ref[]): Promise<readonly FoundRecord[]> {
      const found = await read(refs.map(ref => ref.place));
      tally.look(refs.length, found.length);
      const wanted = found.filter(one => matches(query, one));
      wanted.forEach(one => tally.add(one));
      done.records = tally.records;
      return wanted;
    }

    async function* linesOfDay(day: number): AsyncGenerator<ExportEvent> {
      let begunFile = false;
      for await (const refs of recordsOfDay({ index, most: settings.exportRefs }, snapshot, day, 'time')) {
        for (let i = 0; i < refs.length; i += READ_AT_ONCE) {
          const records = await wantedOf(refs.slice(i, i + READ_AT_ONCE));
          if (records.length > 0 && !begunFile) yield* out.begin(`records/${dayName(day)}.jsonl`);
          begunFile ||= records.length > 0;
          if (records.length > 0)
            yield* out.write(Buffer.from(`${records.map(recordLine).join('\n')}\n`), records.length);
          yield* progress();
        }
        yield* progress();
      }
      out.end();
    }

    async function* mailsOfDay(day: number): AsyncGenerator<ExportEvent> {
      for await (const refs of recordsOfDay({ index, most: settings.exportRefs }, snapshot, day, 'conversation')) {
        for (const some of Map.groupBy(refs, ref => ref.conversation).values()) yield* mailsOf(day, some);
        yield* progress();
      }
    }

    /** Mails of what shares a token: one conversation, hardly ever two. */
    async function* mailsOf(day: number, refs: readonly Ref[]): AsyncGenerator<ExportEvent> {
      const drafts = new Map<string, MailDraft>();
      for (let i = 0; i < refs.length; i += READ_AT_ONCE) {
        for (const record of await wantedOf(refs.slice(i, i + READ_AT_ONCE))) {
          const conversation = record.record?.conversationId ?? '';
          const draft = drafts.get(conversation) ?? new MailDraft(conversation, dayName(day), settings.mailRecords);
          drafts.set(conversation, draft);
          draft.add(record);
          if (draft.full) yield* mail(draft);
        }
        yield* progress();
      }
      for (const draft of drafts.values()) if (draft.records.length > 0) yield* mail(draft);
    }

    async function* mail(draft: MailDraft): AsyncGenerator<ExportEvent> {
      const count = draft.records.length;
      const { path, message } = draft.take();
      const bytes = await mails.write(message);
      yield* out.begin(path);
      yield* out.write(bytes, count);
      out.end();
    }

    for (let day = await index.dayFrom(dayOf(query.fromMs)); day !== undefined && day * DAY_MS < query.untilMs; ) {
      yield* format === 'jsonl' ? linesOfDay(day) : mailsOfDay(day);
      day = await index.dayFrom(day + 1);
    }

    done.files = out.files.length;
    const manifest = manifestOf({
      ...{ version: deps.version, createdMs: clock.now(), begun, purpose, format, tally, extents, whole },
      query: describe(command.query),
      found: query.people,
      files: out.files,
      parkedInArchive: await contents.countParked(1_000_000),
    });
    const tail = new ExportFiles();
    yield* tail.begin('manifest.json');
    yield* tail.write(manifest, 0);
    yield* tail.begin('manifest.sig');
    yield* tail.write(signatureOf(signer, manifest), 0);
    yield { kind: 'progress', records: tally.records, lookedAt: tally.lookedAt } as const;
    return hash('sha256', manifest, 'hex');
  }

  return async function* exported(command) {
    const { purpose, query, format, context } = command;
    const leave = gate.enter();
    try {
      const person = await callerOf(people, context);
      const about = { person, peer: context.peer, purpose };
      const detail = { ...describe(query), format };
      const begun = await audit.write({ ...about, action: 'export', detail, outcome: {} });
      const done = { records: 0, files: 0 };
      let manifestHash = '';
      try {
        manifestHash = yield* run(command, begun, done);
      } catch (error) {
        const refused = refusalOf(error, context.signal);
        telemetry.read('export', person.id, begun.auditId, refused);
        throw error;
      } finally {
        // Also when the reader went away in the middle.
        const outcome = { complete: manifestHash !== '', ...done, manifest_sha256: manifestHash };
        const ended = await audit.write({
          ...about,
          action: 'export_done',
          detail: { export: begun.auditId },
          outcome,
        });
        telemetry.exported(person.id, done.records, done.files, manifestHash !== '');
        if (manifestHash !== '') {
          telemetry.read('export', person.id, begun.auditId, undefined);
          yield { kind: 'result', ...done, manifestHash, auditId: ended.auditId };
        }
      }
    } finally {
      leave();
    }
  };
}

const dayName = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, -14).replace('+', '');
