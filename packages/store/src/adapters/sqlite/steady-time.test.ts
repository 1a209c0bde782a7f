import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import type { Clock, Logger } from '@parley/runtime';
import { createSteadyTime } from './steady-time.ts';
import { createSqliteStore } from './store.ts';
import { openSqliteWriter } from './writer.ts';

const directory = mkdtempSync(join(tmpdir(), 'parley-time-'));
after(() => rmSync(directory, { recursive: true }));

/** A clock that can be set, and a monotonic one that cannot. */
function settable(start = 1_000_000_000) {
  const hands = { wall: start, monotonic: 0 };
  const clock: Clock = {
    now: () => hands.wall,
    monotonic: () => hands.monotonic,
    timer: () => ({ cancel: () => undefined }),
    sleep: () => Promise.resolve(),
  };
  const events: { event: string; fields: Record<string, unknown> }[] = [];
  const log = (event: string, fields?: Record<string, unknown>) => void events.push({ event, fields: fields ?? {} });
  const logger = { debug: log, info: log, warn: log, error: log, child: () => logger } as unknown as Logger;
  return {
    clock,
    logger,
    events,
    pass: (ms: number) => {
      hands.wall += ms;
      hands.monotonic += ms;
    },
    set: (ms: number) => void (hands.wall += ms),
  };
}

describe('the time of the SQLite store', () => {
  it('is that of the clock, also after it was set forward', () => {
    const { clock, pass, set } = settable();
    const time = createSteadyTime(new DatabaseSync(':memory:'), clock, undefined);
    pass(1_234);
    assert.equal(time.now(), clock.now());
    set(3_600_000);
    assert.equal(time.now(), clock.now());
  });

  it('goes on more slowly when the clock is set back, until that has caught up, and says so once', () => {
    const { clock, logger, events, pass, set } = settable();
    const time = createSteadyTime(new DatabaseSync(':memory:'), clock, logger);
    const before = time.now();
    set(-300_000);
    assert.equal(time.now(), before);
    pass(60_000);
    assert.equal(time.now(), before + 54_000);
    for (let i = 0; i < 60; i++) {
      pass(60_000);
      time.now();
    }
    assert.equal(time.now(), clock.now());
    assert.deepEqual(
      events.map(({ event, fields }) => [event, fields['behindMs']]),
      [['store.time.clock_set_back', 300_000]],
    );
  });

  it('never goes back, not even over a restart with a clock that was set back meanwhile', async () => {
    const path = join(directory, 'a', 'parley.sqlite');
    const { clock, logger, events, pass, set } = settable();
    const first = openSqliteWriter({ path, clock, logger });
    const store = createSqliteStore({ writer: first, database: 'test', clock });
    await first.write(db => db.exec('CREATE TABLE t (n)'));
    pass(7_000);
    await first.write(db => db.exec('INSERT INTO t VALUES (1)'));
    pass(4_000);
    const last = await store.now();
    await first.close();
    set(-600_000);
    const second = openSqliteWriter({ path, clock, logger });
    const again = await createSqliteStore({ writer: second, database: 'test', clock }).now();
    assert.ok(again > last - 5_000, `${last - again} ms earlier than before`);
    assert.deepEqual(
      events.map(({ event }) => event),
      ['store.time.behind_file'],
    );
    await second.close();
  });
});
