import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createCounting, nothingCounted } from './counting.ts';

const event = (id: string, senderId: string, recipient: string, acceptedMs: number) => ({
  id,
  senderId,
  recipientIds: [senderId, recipient],
  acceptedMs,
});

describe('counting unread messages', () => {
  it('counts each arrival once, however often it comes', () => {
    const counting = createCounting('me', nothingCounted);
    for (const id of ['a', 'b', 'a']) counting.count(event(id, 'mei', 'me', 1_000));
    assert.equal(counting.unreadOf('mei'), 2);
    counting.read('mei');
    assert.equal(counting.count(event('a', 'mei', 'me', 1_000)), undefined);
    assert.equal(counting.unreadOf('mei'), 0);
  });

  it('counts by arrival, not by place: what comes late and sorts above is unread', () => {
    const counting = createCounting('me', nothingCounted);
    counting.count(event('late', 'mei', 'me', 50_000));
    counting.read('mei');
    assert.equal(counting.count(event('earlier', 'mei', 'me', 40_000)), 'mei');
    assert.equal(counting.unreadOf('mei'), 1);
  });

  it('takes what came before an own message for read, so a new device counts what came after it', () => {
    const counting = createCounting('me', nothingCounted);
    counting.count(event('1', 'mei', 'me', 1));
    counting.count(event('2', 'me', 'mei', 2));
    counting.count(event('3', 'mei', 'me', 3));
    counting.count(event('4', 'tom', 'me', 4));
    assert.deepEqual(counting.state().unread, { mei: 1, tom: 1 });
  });

  it('goes on over a restart, and does not count a full synchronisation again', () => {
    const first = createCounting('me', nothingCounted);
    for (let i = 0; i < 500; i++) first.count(event(`e${i}`, 'mei', 'me', 1_000_000 + i * 1_000));
    first.settle();
    first.read('mei');
    const kept = JSON.parse(JSON.stringify(first.state())) as ReturnType<typeof first.state>;
    assert.ok(kept.counted.length < 200, 'only what may come again is remembered');
    const second = createCounting('me', kept);
    for (let i = 0; i < 500; i++) second.count(event(`e${i}`, 'mei', 'me', 1_000_000 + i * 1_000));
    assert.equal(second.unreadOf('mei'), 0);
    second.count(event('new', 'mei', 'me', 1_499_500));
    assert.equal(second.unreadOf('mei'), 1);
  });
});
