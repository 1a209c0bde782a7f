import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lagProblem, measureLag } from './archive-lag.ts';
import { decideArchiving } from './archiving.ts';
import { admit, type Breaker, closed, failed, succeeded } from './breaker.ts';
import { contentHash, textProblem } from './content.ts';
import { conversationIdOf, isConversationId, messageIdOf, pairOf } from './conversation.ts';
import {
  beginSync,
  cursorAfter,
  historyCursor,
  pageToken,
  parseCursor,
  parseHistoryCursor,
  parsePageToken,
} from './cursor.ts';
import { MESSAGE } from './event.ts';
import { floorKey, keyOf } from './hybrid-clock.ts';
import type { ArchivingPolicy, Person } from './person.ts';
import { sendProblem } from './person.ts';
import { estimateOffset } from './store-time.ts';
import { full, take } from './token-bucket.ts';

function person(id: string, policy: Partial<ArchivingPolicy> = {}, more: Partial<Person> = {}): Person {
  return {
    ...{ id, enabled: true, internal: true, site: 'hq', displayName: id, address: `${id}@north.example`, version: 1 },
    archiving: { internal: false, external: false, critical: false, scope: 'global', ...policy },
    ...more,
  };
}

describe('the archiving decision', () => {
  it('archives when the policy of one of the two says so, and says whose', () => {
    assert.deepEqual(decideArchiving([person('a'), person('b')]), { lane: 'none', decidedBy: '' });
    const own = person('b', { internal: true, scope: 'person' });
    assert.deepEqual(decideArchiving([person('a'), own]), { lane: 'archived', decidedBy: 'person:b' });
    const site = person('b', { internal: true, scope: 'site' });
    assert.deepEqual(decideArchiving([person('a'), site]), { lane: 'archived', decidedBy: 'site:hq' });
    const all = person('b', { internal: true });
    assert.deepEqual(decideArchiving([all, own]), { lane: 'archived', decidedBy: 'global' });
  });

  it('looks at the policy for talks with outsiders when one of the two is one', () => {
    const outsider = person('x', {}, { internal: false });
    assert.equal(decideArchiving([person('a', { internal: true }), outsider]).lane, 'none');
    assert.equal(decideArchiving([person('a', { external: true }), outsider]).lane, 'archived');
    assert.equal(decideArchiving([person('a', { external: true }), person('b')]).lane, 'none');
  });

  it('is critical only when somebody who has it archived asks for that', () => {
    const critical = person('c', { internal: true, critical: true, scope: 'person' });
    assert.deepEqual(decideArchiving([person('a', { internal: true }), critical]), {
      lane: 'critical',
      decidedBy: 'person:c',
    });
    assert.equal(decideArchiving([person('a', { internal: true }), person('b', { critical: true })]).lane, 'archived');
  });
});

describe('who may write to whom', () => {
  it('is decided by both being there and enabled', () => {
    const off = (id: string) => person(id, {}, { enabled: false });
    assert.equal(sendProblem(person('a'), person('b')), undefined);
    assert.equal(sendProblem(undefined, person('b')), 'sender_disabled');
    assert.equal(sendProblem(off('a'), person('b')), 'sender_disabled');
    assert.equal(sendProblem(person('a'), undefined), 'recipient_not_found');
    assert.equal(sendProblem(person('a'), off('b')), 'recipient_disabled');
  });
});

describe('texts', () => {
  const limits = { characters: 10, bytes: 25 };

  it('may hold any script, emoji, tabs and line feeds', () => {
    for (const text of ['Hello', '你好', '👩‍👩‍👧', 'a\tb\nc', '𠮷野家'])
      assert.equal(textProblem(text, limits), undefined, text);
  });

  it('are counted in characters, not in UTF-16 units', () => {
    assert.equal(textProblem('😀'.repeat(6), limits), undefined);
    assert.equal(textProblem('😀'.repeat(10), { characters: 10, bytes: 100 }), undefined);
    assert.equal(textProblem('😀'.repeat(11), { characters: 10, bytes: 100 }), 'too_long');
    assert.equal(textProblem('a'.repeat(10), limits), undefined);
    assert.equal(textProblem('a'.repeat(11), limits), 'too_long');
  });

  it('are refused when empty, too large, ill-formed or with control characters', () => {
    assert.equal(textProblem('', limits), 'empty');
    assert.equal(textProblem('你'.repeat(9), limits), 'too_large');
    assert.equal(textProblem('a\ud800b', limits), 'malformed');
    for (const control of ['\0', '\r', '\u001b', '\u007f', '\u0085'])
      assert.equal(textProblem(`a${control}`, limits), 'control_character', JSON.stringify(control));
  });
});

describe('the content hash', () => {
  const content = { text: 'hi', format: 1, importance: 1 };
  const of = (recipients: string[], c = content) => Buffer.from(contentHash(MESSAGE, recipients, c)).toString('hex');

  it('is the same for the same content', () => assert.equal(of(['a', 'b']), of(['a', 'b'])));

  it('differs when anything the author controls differs', () => {
    const all = [
      of(['a', 'b']),
      of(['a', 'c']),
      of(['ab', '']),
      of(['a', 'b'], { ...content, text: 'hi ' }),
      of(['a', 'b'], { ...content, importance: 2 }),
      of(['a', 'b'], { ...content, format: 2 }),
    ];
    assert.equal(new Set(all).size, all.length);
  });
});

describe('ids', () => {
  it('of a conversation follow from the two people, in either order', () => {
    const id = conversationIdOf(pairOf('ann', 'bob'));
    assert.equal(id, conversationIdOf(pairOf('bob', 'ann')));
    assert.ok(isConversationId(id));
    assert.notEqual(id, conversationIdOf(pairOf('ann', 'bo')));
    assert.equal(isConversationId('d_short'), false);
  });

  it('of a message are UUIDs, in lower case', () => {
    assert.equal(messageIdOf('0B5E9AB8-2C0F-4B52-8E3A-9C1D2E3F4A5B'), '0b5e9ab8-2c0f-4b52-8e3a-9c1d2e3f4a5b');
    for (const bad of ['', 'x', '0b5e9ab82c0f4b528e3a9c1d2e3f4a5b0000', '0b5e9ab8-2c0f-4b52-8e3a-9c1d2e3f4a5g'])
      assert.equal(messageIdOf(bad), undefined);
  });
});

describe('the token bucket', () => {
  const rate = { perSecond: 2, burst: 3 };

  it('lets a burst through, then the rate, and says how long to wait', () => {
    let bucket = take(undefined, 0, rate).bucket;
    for (let i = 0; i < 2; i++) bucket = take(bucket, 0, rate).bucket;
    assert.equal(take(bucket, 0, rate).waitMs, 500);
    assert.ok([1, 2].includes(take(bucket, 499, rate).waitMs));
    assert.equal(take(bucket, 500, rate).waitMs, 0);
    assert.equal(full(bucket, 1_499, rate), false);
    assert.equal(full(bucket, 1_500, rate), true);
  });
});

describe('the breaker', () => {
  const limits = { failures: 3, openMs: 100 };
  const opened = (): Breaker => [1, 2, 3].reduce(b => failed(b, 0, limits), closed);

  it('opens after failures in a row, not before', () => {
    const two = failed(failed(closed, 0, limits), 0, limits);
    assert.equal(admit(two, 0, limits).admitted, true);
    assert.equal(failed(succeeded(two), 0, limits).state, 'closed');
    assert.equal(admit(opened(), 99, limits).admitted, false);
  });

  it('lets exactly one try again, whose outcome decides', () => {
    const probe = admit(opened(), 100, limits);
    assert.equal(probe.admitted, true);
    assert.equal(admit(probe.breaker, 101, limits).admitted, false);
    assert.equal(succeeded(probe.breaker), closed);
    assert.equal(admit(failed(probe.breaker, 101, limits), 150, limits).admitted, false);
  });

  it('gives the place of a try that never came back to another one', () => {
    const probe = admit(opened(), 100, limits);
    assert.equal(admit(probe.breaker, 200, limits).admitted, true);
  });
});

describe('the lag of the archive', () => {
  const limits = { records: 10, stallMs: 50, staleMs: 100 };
  const part = (high: number, committed?: number, low = 0) => ({ low, high, committed });

  it('is no problem while archiving keeps up or moves', () => {
    const first = measureLag(undefined, [part(5, 0)], 0);
    const second = measureLag(first, [part(9, 4)], 60);
    assert.equal(second.records, 5);
    assert.equal(lagProblem(second, 60, limits), undefined);
    assert.equal(lagProblem(measureLag(second, [part(9, 9)], 200), 200, limits), undefined);
  });

  it('is a problem when it is unknown, too great, or stands still too long', () => {
    assert.equal(lagProblem(undefined, 0, limits), 'unmeasured');
    const first = measureLag(undefined, [part(5, 1)], 0);
    assert.equal(lagProblem(first, 101, limits), 'unmeasured');
    assert.equal(lagProblem(measureLag(first, [part(20, 1)], 10), 10, limits), 'behind');
    const still = measureLag(measureLag(first, [part(5, 1)], 10), [part(6, 1)], 70);
    assert.equal(lagProblem(still, 70, limits), 'stalled');
    assert.equal(lagProblem(measureLag(still, [part(6, 2)], 80), 80, limits), undefined);
  });

  it('counts from the first record there is when archiving never committed', () => {
    assert.equal(measureLag(undefined, [part(7, undefined, 3), part(2)], 0).records, 6);
  });
});

describe("the store's time", () => {
  const sample = (sentAt: number, trip: number, offset: number) => ({
    sentAt,
    receivedAt: sentAt + trip,
    storeMs: sentAt + trip / 2 + offset,
  });

  it('is taken from the measurement with the shortest round trip', () => {
    const late = { sentAt: 100, receivedAt: 200, storeMs: 1_195 };
    assert.deepEqual(estimateOffset([sample(0, 2, 1_000), late]), { offsetMs: 1_000, errorMs: 1 });
  });

  it('follows the store when its clock was set', () => {
    assert.equal(estimateOffset([sample(0, 2, 1_000), sample(100, 10, 5_000)])?.offsetMs, 5_000);
    assert.equal(estimateOffset([]), undefined);
  });
});

describe('cursors', () => {
  const now = 1_000_000_000;
  const limits = { initialMs: 1_000, cursorLagMs: 60, maxAheadMs: 10 };
  const key = (ms: number) => keyOf({ ms, counter: 3 }, 'abcdefg');

  it('never lie after the horizon of the run, nor after what was seen', () => {
    const run = beginSync(undefined, now, limits);
    assert.equal(run.last, floorKey(now - 1_000));
    assert.equal(cursorAfter({ ...run, last: key(now - 100) }), `s1.${key(now - 100)}`);
    assert.equal(cursorAfter({ ...run, last: key(now - 10) }), `s1.${floorKey(now - 60)}`);
  });

  it('from before the time was set back hide nothing that was written since, nor what was written then', () => {
    const later = now + 300;
    const given = parseCursor(cursorAfter({ ...beginSync(undefined, later, limits), last: key(later) }));
    const run = beginSync(given, now, limits);
    for (const ms of [now - 59, now, now + 10, later + 10])
      assert.ok(run.last < key(ms) && key(ms) <= run.upper, `${ms}`);
    assert.equal(cursorAfter(run), `s1.${floorKey(now - 60)}`);
    assert.deepEqual(beginSync(given, later, limits), { ...beginSync(undefined, later, limits), last: given });
  });

  it('survive the way to the client and back', () => {
    const run = { ...beginSync(undefined, now, limits), last: key(now) };
    assert.deepEqual(parsePageToken(pageToken(run)), run);
    assert.equal(parseCursor(cursorAfter({ ...run, last: key(now - 100) })), key(now - 100));
    assert.equal(parseHistoryCursor(historyCursor('d_x', key(now)), 'd_x'), key(now));
  });

  it('of another call, another conversation or nobody are refused', () => {
    const run = beginSync(undefined, now, limits);
    for (const bad of ['', 's1.', 's2.' + key(now), `s1.${key(now)}.x`, pageToken(run)])
      assert.equal(parseCursor(bad), undefined);
    for (const bad of ['', 'p1.a.b.c', cursorAfter(run)]) assert.equal(parsePageToken(bad), undefined);
    assert.equal(parseHistoryCursor(historyCursor('d_x', key(now)), 'd_y'), undefined);
  });
});
