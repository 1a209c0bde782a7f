import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { archiveLinks } from '../collections.ts';
import { createCheckpointSigner } from '../index.ts';
import { createWorld, newKey, until, type World } from '../testing/world.ts';

const ids = (n: number, from = 0) => Array.from({ length: n }, (_, i) => ({ id: `ann.${from + i}` }));

describe('chains of an epoch that is over', () => {
  let world: World;
  beforeEach(async () => (world = await createWorld()));
  afterEach(() => world.close());

  /** Ten records under a checkpoint, five beyond it, archived by a process that was killed. */
  async function cutOff(): Promise<void> {
    await world.start();
    await world.append(...ids(10));
    await world.archived();
    await world.checkpoint();
    await world.append(...ids(5, 10));
    await world.archived();
    const last = (await world.checkpoints())[0];
    await world.stop();
    // As if the process had not got to its last statement.
    for (const { _id, next } of await world.checkpoints()) if (next !== last?.next) await world.forget(_id);
    assert.equal((await world.checkpoints()).length, 1);
    assert.equal((await world.verify()).result['beyondCheckpoint'], 5n);
  }
  const sealed = () => until(async () => (await world.checkpoints()).length === 2, 'a closing statement');

  it('are closed with a statement about all of their links, in both places, once', async () => {
    await cutOff();
    await world.beginEpoch();
    await world.start();
    await sealed();
    await world.stop();
    await world.start();
    await world.append({ id: 'ann.new' });
    await world.archived();
    await world.stop();
    const { result, findings } = await world.verify();
    assert.deepEqual(findings, []);
    assert.equal(result['beyondCheckpoint'], 0n);
    const [old] = await world.copy.chains();
    const copied: number[] = [];
    for await (const { next } of world.copy.read(old ?? '')) copied.push(next);
    assert.deepEqual(copied, [10, 15]);
  });

  it('are closed by the key of now when the one of then is known by its public half only', async () => {
    await cutOff();
    await world.beginEpoch();
    const signer = createCheckpointSigner(newKey().privatePem, [world.key.publicPem]);
    await world.start({ signer });
    await sealed();
    assert.deepEqual((await world.verify()).findings, []);
    assert.deepEqual(
      (await world.checkpoints()).map(({ keyId }) => keyId),
      [world.signer.keyId, signer.keyId],
    );
  });

  it('are not closed over links that are lost', async () => {
    await cutOff();
    await world.beginEpoch();
    for (const { _id } of (await world.links()).slice(8)) await world.collection(archiveLinks).delete(_id);
    await world.start();
    await world.stop();
    assert.equal((await world.checkpoints()).length, 1);
    assert.match((await world.verify()).findings.map(f => f.detail).join(), /does not reach offset 9/);
  });

  it('get in one place what a crash left in the other only', async () => {
    await cutOff();
    await world.stop();
    const [only] = await world.checkpoints();
    await world.beginEpoch();
    await world.forget(only?._id ?? '', 'database');
    await world.start();
    await until(async () => (await world.checkpoints()).length === 2, 'both statements');
    assert.deepEqual((await world.verify()).findings, []);
  });
});
