import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fifo } from './fifo.ts';

describe('the queue', () => {
  it('gives back what was put in, oldest first, however often it is emptied', () => {
    const queue = new Fifo<number>();
    let [put, got] = [0, 0];
    for (let round = 1; round < 200; round++) {
      for (let i = 0; i < round * 3; i++) queue.push(put++);
      for (let i = 0; i < round * 2; i++) {
        assert.equal(queue.peek(), got);
        assert.equal(queue.shift(), got++);
      }
      assert.equal(queue.length, put - got);
    }
    while (queue.length > 0) assert.equal(queue.shift(), got++);
    assert.equal(got, put);
    assert.equal(queue.shift(), undefined);
    assert.equal(queue.peek(), undefined);
    queue.push(1);
    queue.clear();
    assert.equal(queue.length, 0);
  });
});
