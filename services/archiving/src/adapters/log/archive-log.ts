import type { EventLog } from '@parley/event-log';
import type { ArchiveLog } from '../../ports/archive-log.ts';

/** Topic that im writes and archiving reads. */
export const ARCHIVE_TOPIC = 'archive';
/** Group under which archiving reads it; im looks at its position. */
export const ARCHIVING_GROUP = 'archiving';

export function createArchiveLog(log: EventLog): ArchiveLog {
  let epoch: Promise<number> | undefined;
  return {
    topic: ARCHIVE_TOPIC,
    epoch() {
      epoch ??= log.epoch().catch(error => {
        epoch = undefined;
        throw error;
      });
      return epoch;
    },
    ends: () => log.ends(ARCHIVE_TOPIC),
    committed: group => log.committed(ARCHIVE_TOPIC, group),
    read: (partition, from, limit) => log.read(ARCHIVE_TOPIC, partition, from, limit),
    trim: (partition, below) => log.trim(ARCHIVE_TOPIC, partition, below),
  };
}
