import type { AppendFailure, AppendRecord, EventLog } from '@parley/event-log';
import type { AppendOutcome, ArchiveEntry, ArchiveLog } from '../../ports/archive-log.ts';

export const ARCHIVE_TOPIC = 'archive';
const ARCHIVING_GROUP = 'archiving';

export function createArchiveLog(log: EventLog, deadlineMs: number): ArchiveLog {
  const options = { deadlineMs };
  return {
    async append(entry): Promise<AppendOutcome> {
      try {
        const [position] = await log.append(ARCHIVE_TOPIC, [toRecord(entry)], options);
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
