import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '@parley/runtime';
import type { Doc } from '@parley/store';
import { withTopology } from '../commands/context.ts';
import { installation, put, scratch } from '../testing/installation.ts';
import { transferables } from './decisions.ts';
import { silent } from './progress.ts';
import { nobodyRuns } from './signs-of-life.ts';

const lease = (expiresAt: number): Doc => ({ _id: 'pod', v: 1, expiresAt, dueAt: expiresAt }) as Doc;
const spec = transferables().find(one => one.spec.name === 'presence_leases')?.spec;

describe('an installation that is to be moved', () => {
  it('counts as stopped when what a killed process left behind has run out', async t => {
    const context = await installation(scratch(t)('data'));
    const until = Date.now() + 700;
    await put(context, 'presence_leases', [lease(until)]);
    const waiting: string[] = [];
    const progress = { ...silent, at: (text: string) => waiting.push(text) };
    await withTopology(context, topology => nobodyRuns(topology, { clock: systemClock, progress, task: 'export' }));
    assert.ok(Date.now() >= until);
    assert.match(waiting[0] ?? '', /waiting 1 s for what a process left behind in presence_leases/);
  });

  it('counts as running when its lease is renewed meanwhile', async t => {
    const context = await installation(scratch(t)('data'));
    const now = Date.now();
    await put(context, 'presence_leases', [lease(now + 60_000)]);
    assert.ok(spec);
    await withTopology(context, async topology => {
      const leases = (await topology.store('presence')).collection(spec);
      const progress = { ...silent, at: () => void leases.replace(lease(now + 61_000), 1) };
      const asked = nobodyRuns(topology, { clock: systemClock, progress, task: 'export' });
      await assert.rejects(
        asked,
        /services of this installation run \(presence_leases\); stop all of them, then export/,
      );
    });
  });
});
