import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createLogger, createMetrics } from '@parley/runtime';
import { ManualClock } from '@parley/testkit';
import { imConfigSchema } from '../config.ts';
import { createTelemetry } from '../events.ts';
import type { ArchiveLog } from '../ports/archive-log.ts';
import { ArchiveGate } from './archive-gate.ts';

const ENTRY = { conversationId: 'c', record: new Uint8Array(1) };
const CHECK_MS = 2_000;
const IDLE_MS = 10_000;
let clock: ManualClock;
let gate: ArchiveGate;
/** When the log was asked how far archiving is. */
let asked: number[];
/** Records of the log, and how many of them are archived. */
let high: number;
let committed: number;
let away: boolean;
/** How long an append takes. */
let appendMs: number;

beforeEach(async () => {
  clock = new ManualClock();
  [asked, high, committed, away, appendMs] = [[], 0, 0, false, 0];
  const log: ArchiveLog = {
    async append() {
      if (appendMs > 0) await clock.sleep(appendMs);
      return { kind: 'appended', position: { partition: 0, offset: high++ } };
    },
    appendAll: async () => 'appended',
    async progress() {
      asked.push(clock.monotonic());
      if (away) throw new Error('away');
      return [{ low: 0, high, committed }];
    },
  };
  const settings = imConfigSchema.parse({ lagCheckMs: CHECK_MS, lagStaleMs: 30_000, maxArchiveStallMs: 60_000 });
  const logger = createLogger({ level: 'silent', service: 'im' });
  gate = new ArchiveGate({
    clock,
    log,
    settings,
    telemetry: createTelemetry(logger, createMetrics({ defaults: false })),
  });
  await gate.start();
  await clock.advance(CHECK_MS);
  asked.length = 0;
});

/** Since the first looks. */
const times = () => asked.map(at => at - CHECK_MS);

afterEach(() => gate.stop());

describe('how far archiving is behind', () => {
  it('is looked at seldom while there is nothing to archive, and never taken for unknown', async () => {
    await clock.advance(3 * IDLE_MS);
    assert.deepEqual(times(), [IDLE_MS, 2 * IDLE_MS, 3 * IDLE_MS]);
    assert.equal(gate.criticalProblem(), undefined);
  });

  it('is looked at when the first record is appended after a quiet time', async () => {
    await clock.advance(IDLE_MS - 1_000);
    await gate.append(ENTRY);
    await clock.advance(0);
    assert.deepEqual(times(), [IDLE_MS - 1_000]);
  });

  it('is looked at once the record is in the log, however long that takes', async () => {
    await clock.advance(IDLE_MS - 1_000);
    appendMs = 500;
    void gate.append(ENTRY);
    await clock.advance(appendMs);
    await clock.advance(CHECK_MS);
    assert.deepEqual(times(), [IDLE_MS - 500, IDLE_MS - 500 + CHECK_MS], 'it waits to be archived');
  });

  it('is looked at no more once it was stopped, at its start or later', async () => {
    await gate.stop();
    void gate.start();
    await gate.stop();
    asked.length = 0;
    await clock.advance(60_000);
    assert.deepEqual(asked, []);
  });

  it('is looked at no later than usual when a record is appended soon after a look', async () => {
    await clock.advance(500);
    await gate.append(ENTRY);
    committed = 1;
    await clock.advance(CHECK_MS);
    assert.deepEqual(times(), [CHECK_MS]);
  });

  it('is looked at as often as usual while anything waits or the log does not say', async () => {
    await gate.append(ENTRY);
    await clock.advance(3 * CHECK_MS);
    assert.deepEqual(
      times(),
      [1, 2, 3].map(n => n * CHECK_MS),
    );
    committed = high;
    away = true;
    asked.length = 0;
    await clock.advance(40_000);
    assert.equal(asked.length, 20);
    assert.notEqual(gate.criticalProblem(), undefined);
    away = false;
    await clock.advance(CHECK_MS);
    assert.equal(gate.criticalProblem(), undefined);
  });
});
