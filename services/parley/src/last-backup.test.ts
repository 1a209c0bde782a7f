import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createMetrics } from '@parley/runtime';
import { ManualClock } from '@parley/testkit';
import { lastBackup, rememberBackup } from './last-backup.ts';
import { scratch } from './testing/installation.ts';

describe('the age of the last backup', () => {
  it('is published once there is one, and follows the next one', async t => {
    const dataDir = scratch(t)('data');
    mkdirSync(dataDir);
    const clock = new ManualClock();
    const metrics = createMetrics({ defaults: false });
    const module = lastBackup({ dataDir, clock, metrics });
    const value = async () => /^parley_backup\S+_timestamp_seconds (\S+)/m.exec(await metrics.render())?.[1];
    await module.start();
    assert.equal(await value(), '0');
    const before = Date.now() / 1000 - 5;
    rememberBackup(dataDir, { target: '/elsewhere' });
    await clock.advance(60_000);
    assert.ok(Number(await value()) > before);
    await module.stop();
  });
});
