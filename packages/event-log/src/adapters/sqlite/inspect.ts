import { DatabaseSync } from 'node:sqlite';
import type { Clock, Ids } from '@parley/runtime';
import type { PartitionEnds } from '../../event-log.ts';
import { newEpoch } from '../../new-epoch.ts';
import { createSchema, SLOT_SIZE, statements } from './schema.ts';

/** A partition of a log in a file that nobody consumes now. */
export interface InspectedPartition extends PartitionEnds {
  readonly topic: string;
  /** Number under which the file keeps it, and the row id of its offset 0. */
  readonly slot: number;
  readonly base: number;
  /** Next offset of each group that ever committed one. */
  readonly committed: ReadonlyMap<string, number>;
}

/** What a log in a file holds. */
export interface InspectedLog {
  readonly epoch: number;
  readonly partitions: readonly InspectedPartition[];
}

/** Looks at a log through any connection, one for reading only included; undefined when the file has none. */
export function inspectSqliteLog(db: DatabaseSync): InspectedLog | undefined {
  const has = db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name IN ('log_meta', 'log_positions')").get();
  if (has?.['n'] !== 2) return undefined;
  const epoch = db.prepare("SELECT value FROM log_meta WHERE name = 'epoch'").get()?.['value'];
  if (epoch === undefined) return undefined;
  const positions = db.prepare('SELECT grp, next FROM log_positions WHERE topic = ? AND partition = ? ORDER BY grp');
  const partitions = statements(db)
    .partitions.all()
    .map(row => {
      const [topic, partition] = [row['topic'] as string, row['partition'] as number];
      const slot = row['slot'] as number;
      const base = slot * SLOT_SIZE;
      const low = row['low'] as number;
      const last = statements(db).last.get(base, base + SLOT_SIZE)?.['id'] as number | undefined;
      const committed = positions.all(topic, partition).map(r => [r['grp'] as string, r['next'] as number] as const);
      const high = last === undefined ? low : last - base + 1;
      return { topic, partition, slot, base, low, high, committed: new Map(committed) };
    });
  return { epoch: Number(epoch), partitions };
}

/** What a new epoch needs. */
export interface NewEpochOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Pick<Ids, 'fraction'>;
  /** Groups that read the log: what each of them has read is removed. With none, nothing is. */
  readonly groups: readonly string[];
}

/**
 * Begins a new epoch in a file that nobody has open: its history may have gone on elsewhere, and no place in it may
 * mean two records. Records that all of `groups` have read are removed, so that a new chain begins with those that
 * somebody still has to read. Offsets go on. Leaves no write-ahead log beside the file. Returns the new epoch;
 * undefined when the file has no log.
 */
export function beginSqliteEpoch(path: string, { clock, ids, groups }: NewEpochOptions): number | undefined {
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  try {
    db.exec('PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL');
    const log = inspectSqliteLog(db);
    if (log === undefined) return undefined;
    const epoch = Math.max(newEpoch(clock, ids), log.epoch + 1);
    db.exec('BEGIN IMMEDIATE');
    // Refuses tables of a later version.
    createSchema(db, epoch);
    db.prepare("UPDATE log_meta SET value = ? WHERE name = 'epoch'").run(epoch);
    for (const { base, slot, low, high, committed } of log.partitions) {
      const read = groups.length === 0 ? low : Math.min(high, ...groups.map(group => committed.get(group) ?? low));
      if (read <= low) continue;
      statements(db).setLow.run(read, slot);
      statements(db).remove.run(base, base + read);
    }
    db.exec('COMMIT');
    return epoch;
  } finally {
    db.close();
  }
}
