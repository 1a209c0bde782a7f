import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SettledPositions } from './settled-positions.ts';

describe('positions that are settled', () => {
  it('are known once', () => {
    const settled = new SettledPositions();
    settled.add({ partition: 1, offset: 7 });
    settled.add({ partition: 1, offset: 7 });
    assert.equal(settled.size, 1);
    assert.equal(settled.take({ partition: 2, offset: 7 }), false);
    assert.equal(settled.take({ partition: 1, offset: 7 }), true);
    assert.equal(settled.take({ partition: 1, offset: 7 }), false);
    assert.equal(settled.size, 0);
  });

  it('are never more than so many, however many partitions nobody reads here', () => {
    const settled = new SettledPositions(100);
    for (let i = 0; i < 10_000; i++) {
      settled.add({ partition: i % 256, offset: i });
      assert.ok(settled.size <= 100);
    }
    assert.equal(settled.take({ partition: 9_999 % 256, offset: 9_999 }), true);
  });
});
