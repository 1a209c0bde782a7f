import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeMarker, findEpoch } from './epoch.ts';

const records = (...markers: readonly (readonly [number, string])[]) =>
  markers.map(([epoch, cluster], offset) => ({
    ...encodeMarker(epoch, cluster),
    partition: 0,
    offset,
    headers: {},
    timestampMs: 0,
  }));

describe('epoch of a Kafka cluster', () => {
  it('is the first one written for the cluster, so that two who write at once agree', () => {
    assert.equal(findEpoch(records([7, 'a'], [8, 'a']), 'a'), 7);
  });

  it('is not one that came with topics copied from another cluster', () => {
    assert.equal(findEpoch(records([7, 'a']), 'b'), undefined);
    assert.equal(findEpoch(records([7, 'a'], [9, 'b']), 'b'), 9);
  });

  it('is unknown in an empty topic, and nonsense is not taken for one', () => {
    assert.equal(findEpoch([], 'a'), undefined);
    const [record] = records([1, 'a']);
    assert.throws(() => findEpoch([{ ...record!, value: Buffer.from('{') }], 'a'), { code: 'no_epoch' });
  });
});
