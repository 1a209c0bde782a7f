import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ManualClock } from '@parley/testkit';
import type { CollectionSpec, Doc } from '../../store.ts';
import { openMemoryStore } from '../../testing.ts';
import { createSqliteStore } from './store.ts';

interface Lease extends Doc {
  readonly endsMs?: number | null;
  readonly tags?: readonly string[];
}

const leases: CollectionSpec<Lease> = {
  name: 'leases',
  indexes: {
    ends: { kind: 'expiring', field: 'endsMs' },
    tag: { kind: 'ordered', fields: ['tags'], array: 'tags' },
  },
};

it('removes documents some time after they expired, in small batches, with their index entries', async () => {
  const clock = new ManualClock();
  const memory = openMemoryStore({ clock });
  const store = createSqliteStore({
    writer: memory.writer,
    database: 'sweep',
    clock,
    sweepEveryMs: 1000,
    sweepBatch: 10,
  });
  await store.migrate([leases]);
  const c = store.collection(leases);
  const now = clock.now();
  const due = Array.from({ length: 35 }, (_, i) => ({ _id: `due${i}`, endsMs: now + i, tags: ['t'] }));
  await c.insertMany([...due, { _id: 'later', endsMs: now + 5000 }, { _id: 'never' }, { _id: 'null', endsMs: null }]);
  await clock.advance(999);
  assert.equal(await c.count('tag', { equals: ['t'] }, 100), 35);
  const before = memory.writer.commits;
  await clock.advance(1);
  assert.equal(await c.count('tag', { equals: ['t'] }, 100), 0);
  assert.equal(memory.writer.commits - before, 4);
  assert.deepEqual(
    (await c.getMany(['later', 'never', 'null', 'due0'])).map(d => d._id),
    ['later', 'never', 'null'],
  );
  await clock.advance(5000);
  assert.equal(await c.get('later'), undefined);
  await store.close();
  assert.equal(clock.pending, 0);
  await memory.close();
});

it('has no timer when nothing expires', async () => {
  const clock = new ManualClock();
  const memory = openMemoryStore({ clock });
  memory.store('quiet').collection({ name: 'plain', indexes: {} });
  assert.equal(clock.pending, 0);
  await memory.close();
});
