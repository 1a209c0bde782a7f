import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '@parley/runtime';
import type { SqliteWriter } from '@parley/store';
import type { EventLogFixture } from '../../contract/event-log.contract.ts';
import { createEventLogFaults } from './faults.ts';
import { createSqliteEventLog } from './sqlite-event-log.ts';

export function openTestWriter(path: string): SqliteWriter {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-64000');
  let ops: (() => () => void)[] = [];
  function run() {
    const group = ops;
    ops = [];
    db.exec('BEGIN IMMEDIATE');
    const settle = group.map(op => op());
    db.exec('COMMIT');
    for (const fn of settle) fn();
  }
  return {
    db,
    healthy: true,
    write: op =>
      new Promise((resolve, reject) => {
        if (ops.length === 0) setImmediate(run);
        ops.push(() => {
          db.exec('SAVEPOINT op');
          try {
            const result = op(db);
            db.exec('RELEASE op');
            return () => resolve(result);
          } catch (err) {
            db.exec('ROLLBACK TO op; RELEASE op');
            return () => reject(err);
          }
        });
      }),
    close: async () => db.close(),
  };
}

export async function openFixture(): Promise<EventLogFixture> {
  const writer = openTestWriter(':memory:');
  const faults = createEventLogFaults();
  const make = () =>
    createSqliteEventLog({ writer, clock: systemClock, faults, backoff: { minMs: 2, maxMs: 10 }, pollMs: 100 });
  const log = make();
  const logs = [log];
  let topics = 0;
  return {
    log,
    topic: () => `topic-${++topics}`,
    another: async () => {
      const other = make();
      logs.push(other);
      return other;
    },
    stall: async () => {
      faults.hangAppends();
      return async () => faults.heal();
    },
    close: async () => {
      await Promise.all(logs.map(l => l.close()));
      await writer.close();
    },
  };
}
