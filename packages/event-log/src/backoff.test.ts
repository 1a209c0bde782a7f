import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogFields, Logger } from '@parley/runtime';
import { ManualClock } from '@parley/testkit';
import { backoffMs, DEFAULT_BACKOFF } from './backoff.ts';
import { createQuietLog } from './quiet-log.ts';

describe('back-off', () => {
  it('doubles, is cut by up to a half, and never leaves its range', () => {
    assert.deepEqual(
      [1, 2, 3, 20].map(n => backoffMs(n, 0, DEFAULT_BACKOFF)),
      [100, 200, 400, 30_000],
    );
    assert.equal(backoffMs(3, 0.5, DEFAULT_BACKOFF), 300);
    assert.equal(backoffMs(1, 0.99, DEFAULT_BACKOFF), 100);
    assert.equal(backoffMs(5000, 0, DEFAULT_BACKOFF), 30_000);
  });
});

describe('quiet log', () => {
  it('tells the first at once, then one in ten seconds with the number left out', async () => {
    const clock = new ManualClock();
    const lines: [string, LogFields | undefined][] = [];
    const logger = { warn: (event: string, fields?: LogFields) => lines.push([event, fields]) } as unknown as Logger;
    const quiet = createQuietLog(logger, clock);
    for (let i = 0; i < 5; i++) quiet.warn('e', 'a', { x: 1 });
    quiet.warn('e', 'b', { x: 2 });
    await clock.advance(10_000);
    quiet.warn('e', 'a', { x: 1 });
    assert.deepEqual(lines, [
      ['e', { x: 1 }],
      ['e', { x: 2 }],
      ['e', { x: 1, suppressed: 4 }],
    ]);
  });
});
