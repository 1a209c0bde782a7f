import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { systemClock, systemIds } from '@parley/runtime';
import { type GroupCommitWriter, openSqliteWriter } from '@parley/store';
import { ManualClock, until } from '@parley/testkit';
import type { EventLog } from '../../event-log.ts';
import { beginSqliteEpoch, inspectSqliteLog } from './inspect.ts';
import { createSqliteEventLog } from './sqlite-event-log.ts';

const TOPIC = 'archive';
const needs = { clock: systemClock, ids: systemIds };

describe('a log in a file', () => {
  let dir: string;
  let path: string;
  let writer: GroupCommitWriter;
  let log: EventLog;
  const open = () => {
    writer = openSqliteWriter({ path, clock: systemClock });
    log = createSqliteEventLog({ writer, clock: systemClock, pollMs: 20 });
  };
  const close = async () => {
    await log.close();
    await writer.close();
  };
  const append = (n: number) =>
    log.append(
      TOPIC,
      Array.from({ length: n }, (_, i) => ({ key: 'k', value: Buffer.from(`record ${i}`) })),
    );
  /** Lets `group` read everything there is. */
  const readAll = async (group: string) => {
    const ends = await log.ends(TOPIC);
    const consumer = await log.consume(TOPIC, group, async () => undefined);
    await until('the group to have read all', async () => {
      const committed = await log.committed(TOPIC, group);
      return ends.every(({ partition, low, high }) => high === low || committed.get(partition) === high);
    });
    await consumer.stop();
  };

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'parley-inspect-'));
    path = join(dir, 'log.db');
    open();
    await log.createTopics([{ name: TOPIC, partitions: 1 }]);
  });
  afterEach(async () => {
    await close();
    rmSync(dir, { recursive: true });
  });

  it('is inspected through a connection for reading, while others write', async () => {
    await append(5);
    await readAll('archiving');
    await append(2);
    const db = new DatabaseSync(path, { readOnly: true });
    const found = inspectSqliteLog(db);
    assert.equal(found?.epoch, await log.epoch());
    assert.deepEqual(
      found?.partitions.map(({ topic, partition, low, high, committed }) => ({
        ...{ topic, partition, low, high, committed: [...committed] },
      })),
      [{ topic: TOPIC, partition: 0, low: 0, high: 7, committed: [['archiving', 5]] }],
    );
    db.close();
  });

  it('is not found in a database that has none', () => {
    const other = join(dir, 'other.db');
    const db = new DatabaseSync(other);
    assert.equal(inspectSqliteLog(db), undefined);
    assert.equal(beginSqliteEpoch(other, { ...needs, groups: [] }), undefined);
    db.close();
  });

  it('begins a new epoch: offsets and groups go on, and what every group has read is gone', async () => {
    await append(5);
    await readAll('im-reconcile');
    await append(3);
    await readAll('archiving');
    const before = await log.epoch();
    await close();
    const epoch = beginSqliteEpoch(path, { ...needs, groups: ['archiving', 'im-reconcile'] });
    open();
    assert.ok(epoch !== undefined && epoch > before);
    assert.equal(await log.epoch(), epoch);
    assert.deepEqual(await log.ends(TOPIC), [{ partition: 0, low: 5, high: 8 }]);
    assert.deepEqual([...(await log.committed(TOPIC, 'archiving'))], [[0, 8]]);
    assert.deepEqual([...(await log.committed(TOPIC, 'im-reconcile'))], [[0, 5]]);
    assert.equal((await append(1))[0]?.offset, 8);
  });

  it('keeps every record in a new epoch when one of the groups never read any', async () => {
    await append(5);
    await readAll('im-reconcile');
    await close();
    beginSqliteEpoch(path, { ...needs, groups: ['archiving', 'im-reconcile'] });
    open();
    assert.deepEqual(await log.ends(TOPIC), [{ partition: 0, low: 0, high: 5 }]);
  });

  it('never goes back to an earlier epoch, whatever the clock says', async () => {
    const before = await log.epoch();
    await close();
    const epoch = beginSqliteEpoch(path, { clock: new ManualClock(0), ids: systemIds, groups: [] });
    open();
    assert.equal(epoch, before + 1);
  });
});
