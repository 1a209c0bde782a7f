import type { AppendFailure, AppendRecord, EventLog, LogPosition } from '@parley/event-log';
import type { AppendOutcome, ArchiveEntry, ArchiveLog } from '../../ports/archive-log.ts';
import { createBatcher } from '../batcher.ts';

export const ARCHIVE_TOPIC = 'archive';
const MOST_RECORDS = 250;
const ARCHIVING_GROUP = 'archiving';

export function createArchiveLog(log: EventLog, deadlineMs: number): ArchiveLog {
  const options = { deadlineMs };
  const appendOne = createBatcher(
    (records: readonly AppendRecord[]) => log.append(ARCHIVE_TOPIC, records, options),
    MOST_RECORDS,
  );
  return {
    async append(entry): Promise<AppendOutcome> {
      try {
        const position = (await appendOne(toRecord(entry))) as LogPosition | undefined;
        if (!position) return { kind: 'failed', outcome: 'unknown', cause: new Error('the log gave no position') };
        return { kind: 'appended', position };
      } catch (cause) {
        return { kind: 'failed', outcome: (cause as Partial<AppendFailure>).outcome ?? 'unknown', cause };
      }
    },
    async appendAll(entries) {
      try {
        await log.append(ARCHIVE_TOPIC, entries.map(toRecord), options);
        return 'appended';
      } catch {
        return 'failed';
      }
    },
    async progress() {
      const [ends, committed] = await Promise.all([
        log.ends(ARCHIVE_TOPIC),
        log.committed(ARCHIVE_TOPIC, ARCHIVING_GROUP),
      ]);
      return ends.map(end => ({ low: end.low, high: end.high, committed: committed.get(end.partition) }));
    },
  };
}

function toRecord(entry: ArchiveEntry): AppendRecord {
  const record = { key: entry.conversationId, value: entry.record };
  return entry.traceparent === undefined ? record : { ...record, headers: { traceparent: entry.traceparent } };
}
