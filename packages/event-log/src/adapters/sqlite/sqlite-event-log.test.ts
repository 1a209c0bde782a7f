import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMetrics, systemClock } from '@parley/runtime';
import { openSqliteWriter } from '@parley/store';
import { ManualClock } from '@parley/testkit';
import { type EventLogFixture, eventLogContract } from '../../contract/event-log.contract.ts';
import type { LogBatch } from '../../event-log.ts';
import { createEventLogFaults } from './faults.ts';
import { createSqliteEventLog } from './sqlite-event-log.ts';

eventLogContract('SQLite', openFixture, true);

async function openFixture(): Promise<EventLogFixture> {
  const writer = openSqliteWriter({ path: ':memory:', clock: systemClock });
  const faults = createEventLogFaults();
  const make = () =>
    createSqliteEventLog({ writer, clock: systemClock, faults, backoff: { minMs: 2, maxMs: 10 }, pollMs: 20 });
  const logs = [make()];
  let topics = 0;
  return {
    log: logs[0] as (typeof logs)[0],
    topic: () => `topic-${++topics}`,
    async another() {
      const other = make();
      logs.push(other);
      return other;
    },
    async stall() {
      faults.hangAppends();
      return async () => faults.heal();
    },
    async close() {
      await Promise.all(logs.map(log => log.close()));
      await writer.close();
    },
  };
}

const one = [{ key: 'k', value: Buffer.from('v') }];

async function setUp() {
  const clock = new ManualClock();
  const writer = openSqliteWriter({ path: ':memory:', clock });
  const faults = createEventLogFaults();
  const metrics = createMetrics();
  const log = createSqliteEventLog({ writer, clock, faults, metrics, ids: { fraction: () => 0 } });
  await log.createTopics([{ name: 't', partitions: 1 }]);
  return { clock, writer, faults, metrics, log };
}

describe('SQLite event log', () => {
  it('waits 100 ms after the first failure, twice as long after each further one, and 30 s at most', async () => {
    const { clock, log } = await setUp();
    await log.append('t', one);
    const at: number[] = [];
    await log.consume('t', 'g', async () => {
      at.push(clock.monotonic());
      throw new Error('on purpose');
    });
    await clock.advance(0);
    await clock.advance(120_000);
    const waits = at.slice(1).map((t, i) => t - (at[i] as number));
    assert.deepEqual(waits.slice(0, 11), [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
  });

  it('refuses appends at once while the fault says so, and is not connected', async () => {
    const { log, faults } = await setUp();
    faults.refuseAppends();
    assert.equal(log.connected, false);
    await assert.rejects(log.append('t', one), { outcome: 'refused', code: 'unavailable' });
    faults.heal();
    assert.equal(log.connected, true);
    assert.deepEqual(await log.append('t', one), [{ partition: 0, offset: 0 }]);
  });

  it('says unknown at the deadline of an append that hangs, which lands when the log is healed', async () => {
    const { log, faults, clock } = await setUp();
    faults.hangAppends();
    const hanging = assert.rejects(log.append('t', one, { deadlineMs: 50 }), { outcome: 'unknown', code: 'deadline' });
    const inTime = log.append('t', one, { deadlineMs: 5000 });
    await clock.advance(50);
    await hanging;
    assert.equal(faults.hanging, 2);
    assert.equal((await log.ends('t'))[0]?.high, 0);
    faults.heal();
    assert.deepEqual(await inTime, [{ partition: 0, offset: 1 }]);
  });

  it('withdraws at the deadline what the writer has not begun, so that it is surely refused', async () => {
    const clock = new ManualClock();
    const writer = openSqliteWriter({ path: ':memory:', clock, commitDelayMs: 100 });
    const log = createSqliteEventLog({ writer, clock });
    const created = log.createTopics([{ name: 't', partitions: 1 }]);
    await clock.advance(1000);
    await created;
    const late = assert.rejects(log.append('t', one, { deadlineMs: 50 }), { outcome: 'refused', code: 'deadline' });
    const inTime = log.append('t', one, { deadlineMs: 5000 });
    await clock.advance(1000);
    await late;
    assert.deepEqual(await inTime, [{ partition: 0, offset: 0 }]);
    const ends = log.ends('t');
    await clock.advance(1000);
    assert.equal((await ends)[0]?.high, 1);
  });

  it('lets a group rest that a trim overtook to the very end', async () => {
    const { log, metrics, clock } = await setUp();
    let calls = 0;
    await log.append('t', [...one, ...one]);
    await log.trim('t', 0, 2);
    const consumer = await log.consume('t', 'g', async () => void calls++);
    await clock.advance(10_000);
    assert.equal(calls, 0);
    await log.append('t', one);
    await clock.advance(0);
    assert.equal(calls, 1);
    assert.match(await metrics.render(), /parley_log_consumer_lag\{topic="t",group="g",partition="0"\} 0/);
    await consumer.stop();
  });

  it('uses the offsets again that a failed commit took with it', async () => {
    const { log, writer } = await setUp();
    await log.append('t', one);
    // A full file: the commit fails as a whole.
    writer.db.exec('PRAGMA max_page_count = 1');
    const big = { key: 'k', value: Buffer.alloc(1_000_000) };
    await assert.rejects(log.append('t', [one[0]!, big]), { outcome: 'refused', code: 'unavailable' });
    assert.equal(log.connected, false);
    writer.db.exec('PRAGMA max_page_count = 1073741823');
    assert.deepEqual(await log.append('t', [big]), [{ partition: 0, offset: 1 }]);
    assert.equal(log.connected, true);
  });

  it('finds by itself what nobody announced, and reports the lag', async () => {
    const { log, writer, clock, metrics } = await setUp();
    const batches: LogBatch[] = [];
    await log.consume('t', 'g', async batch => void batches.push(batch));
    const stranger = createSqliteEventLog({ writer, clock });
    await stranger.append('t', [...one, ...one]);
    await clock.advance(0);
    assert.equal(batches.length, 0);
    await clock.advance(5000);
    assert.equal(batches[0]?.records.length, 2);
    const text = await metrics.render();
    assert.match(text, /parley_log_consumer_lag\{topic="t",group="g",partition="0"\} 0/);
    assert.match(text, /parley_log_consumed_total\{topic="t",group="g"\} 2/);
  });

  it('tells a consumer that lost records to a trim, and goes on with what is there', async () => {
    const { log, metrics, clock } = await setUp();
    const seen: number[] = [];
    let fail = true;
    await log.append('t', [...one, ...one, ...one]);
    await log.consume('t', 'g', async batch => {
      if (fail) throw new Error('on purpose');
      seen.push(...batch.records.map(r => r.offset));
    });
    await clock.advance(0);
    await log.trim('t', 0, 2);
    fail = false;
    await clock.advance(100);
    assert.deepEqual(seen, [2]);
    assert.match(await metrics.render(), /parley_log_records_gone_total\{topic="t",group="g"\} 2/);
  });

  it('gives a log in a new file another epoch', async () => {
    const clock = new ManualClock();
    const epochs = new Set<number>();
    for (const fraction of [0, 0.5]) {
      const writer = openSqliteWriter({ path: ':memory:', clock });
      epochs.add(await createSqliteEventLog({ writer, clock, ids: { fraction: () => fraction } }).epoch());
      await writer.close();
    }
    assert.equal(epochs.size, 2);
  });

  it('counts failed appends by outcome', async () => {
    const { log, metrics } = await setUp();
    await assert.rejects(log.append('nowhere', one));
    await assert.rejects(log.append('t', [{ key: '', value: Buffer.alloc(0) }]));
    const text = await metrics.render();
    assert.match(text, /parley_log_append_failures_total\{topic="unknown",outcome="refused"\} 1/);
    assert.match(text, /parley_log_append_failures_total\{topic="t",outcome="refused"\} 1/);
  });
});
