import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Bus, ContinuityBreak } from '@parley/bus';
import { ManualClock } from '@parley/testkit';
import { createHints } from './hints.ts';

/** A bus that loses everything while it is down. */
function fragile() {
  let up = true;
  const listeners = new Set<(event: ContinuityBreak) => void>();
  const told: string[] = [];
  const bus: Bus = {
    publish: (subject, data) =>
      void (up && told.push(`${subject} ${Buffer.from(data.subarray(0, 64)).toString('latin1')}`)),
    subscribe: () => ({ unsubscribe: () => undefined }),
    flush: async () => undefined,
    onContinuity(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get connected() {
      return up;
    },
    close: async () => undefined,
  };
  const become = (next: boolean) => {
    up = next;
    for (const listener of listeners) listener({ kind: next ? 'restored' : 'disconnected' });
  };
  return { bus, told, become };
}

const text = (word: string) => new TextEncoder().encode(word);

describe('hints of instant messaging', () => {
  it('reach both people', () => {
    const { bus, told } = fragile();
    createHints(bus, new ManualClock()).publish(['ann', 'bob'], text('x'));
    assert.deepEqual(told, ['im.ann x', 'im.bob x']);
  });

  it('that fell into a break of the bus are published again when it is over, with those shortly before it', async () => {
    const { bus, told, become } = fragile();
    const clock = new ManualClock();
    const hints = createHints(bus, clock);
    hints.publish(['ann'], text('old'));
    await clock.advance(46_000);
    hints.publish(['ann'], text('older'));
    await clock.advance(46_000);
    hints.publish(['ann'], text('before')); // may have been written into a dead connection
    become(false);
    await clock.advance(120_000); // a long break forgets nothing
    hints.publish(['ann'], text('lost'));
    told.length = 0;
    become(true);
    assert.deepEqual(told, ['im.ann older', 'im.ann before', 'im.ann lost']);
    told.length = 0;
    hints.stop();
    become(false);
    become(true);
    assert.deepEqual(told, []);
  });

  it('are remembered up to a size, the newest of them', () => {
    const { bus, told, become } = fragile();
    const hints = createHints(bus, new ManualClock());
    become(false);
    const large = new Uint8Array(1024 * 1024);
    for (let i = 0; i < 40; i++) hints.publish([`p${i}`], large);
    become(true);
    assert.deepEqual(
      told.map(line => line.split(' ')[0]),
      Array.from({ length: 24 }, (_, i) => `im.p${i + 16}`),
    );
  });

  it('are remembered up to a limit, the newest of them', () => {
    const { bus, told, become } = fragile();
    const hints = createHints(bus, new ManualClock());
    become(false);
    for (let i = 0; i < 40_000; i++) hints.publish(['ann'], text(String(i)));
    become(true);
    assert.ok(told.length > 16_384 && told.length <= 32_768, `${told.length} are told again`);
    assert.equal(told.at(-1), 'im.ann 39999');
  });
});
