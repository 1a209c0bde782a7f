import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CommandError } from './protocol.ts';
import { fakeBrowser } from './testing.ts';

describe('the tabs of a browser', () => {
  it('have one leader, and the others show what it knows', async () => {
    const browser = fakeBrowser();
    const a = browser.tab('a');
    await browser.advance(0);
    assert.equal(a.tabs.role(), 'leader');
    a.tabs.store.set('list', [1]);
    const [b, c] = [browser.tab('b'), browser.tab('c')];
    await browser.advance(0);
    a.tabs.store.set('list', [1, 2]);
    await browser.advance(0);
    for (const tab of [b, c]) {
      assert.equal(tab.tabs.role(), 'follower');
      assert.deepEqual(tab.tabs.store.get('list'), [1, 2]);
      assert.equal(tab.led.began, 0);
    }
  });

  it('carry out commands at the leader and bring back value or refusal', async () => {
    const browser = fakeBrowser();
    const a = browser.tab('a');
    const b = browser.tab('b');
    await browser.advance(0);
    const answers = Promise.all([a.tabs.call('set', 'x', 1), b.tabs.call('set', 'y', 2)]);
    await browser.advance(0);
    assert.deepEqual(await answers, ['a did set', 'a did set']);
    assert.equal(b.tabs.store.get('x'), 1);
    for (const tab of [a, b]) {
      const refused = assert.rejects(tab.tabs.call('fail'), (error: CommandError) => error.code === 'im.text_empty');
      await browser.advance(0);
      await refused;
    }
    b.tabs.note('typed');
    await browser.advance(0);
    assert.deepEqual(a.notes, ['typed']);
  });

  it('keep what they know when the leader goes, and bring its unfinished commands to the next', async () => {
    const browser = fakeBrowser();
    const a = browser.tab('a');
    const [b, c] = [browser.tab('b'), browser.tab('c')];
    await browser.advance(0);
    a.tabs.store.set('kept', ['long ago']);
    await browser.advance(0);
    a.freeze(); // what is asked now is never heard
    const answer = c.tabs.call('set', 'z', 'sent');
    a.crash();
    await browser.advance(0);
    assert.equal(await answer, 'b did set');
    assert.equal(b.tabs.role(), 'leader');
    assert.deepEqual(b.calls, ['set z sent']);
    for (const tab of [b, c]) {
      assert.deepEqual(tab.tabs.store.get('kept'), ['long ago']);
      assert.equal(tab.tabs.store.get('z'), 'sent');
    }
  });

  it('repeat at the next leader what the one before took up and did not finish', async () => {
    const browser = fakeBrowser();
    const a = browser.tab('a');
    const [b, c] = [browser.tab('b'), browser.tab('c')];
    await browser.advance(0);
    void c.tabs.call('never', 'ends');
    await browser.advance(30_000);
    assert.deepEqual(a.calls, ['never ends'], 'a slow command is not repeated while its leader lives');
    a.crash();
    await browser.advance(0);
    assert.deepEqual(b.calls, ['never ends']);
  });

  it('take the lead away from a tab that does not answer, and it follows when it wakes up', async () => {
    const browser = fakeBrowser();
    const a = browser.tab('a');
    const b = browser.tab('b');
    await browser.advance(0);
    a.freeze();
    const answer = b.tabs.call('set', 'x', 'moved on');
    await browser.advance(4_000);
    assert.equal(b.tabs.role(), 'follower');
    await browser.advance(1_500);
    assert.equal(await answer, 'b did set');
    a.thaw();
    await browser.advance(0);
    assert.deepEqual([a.tabs.role(), b.tabs.role()], ['follower', 'leader']);
    assert.deepEqual(a.led, { began: 1, ended: 1 });
    assert.equal(a.tabs.store.get('x'), 'moved on');
  });

  it('do not fight for the lead when nobody looks at them', async () => {
    const browser = fakeBrowser();
    const a = browser.tab('a');
    await browser.advance(0);
    a.freeze();
    const b = browser.tab('b', { visible: () => false });
    await browser.advance(60_000);
    assert.equal(b.tabs.role(), 'joining');
    assert.equal(b.led.began, 0);
    a.thaw();
    await browser.advance(10_000);
    assert.equal(b.tabs.role(), 'follower');
  });

  it('ask for everything again when they missed something', async () => {
    const browser = fakeBrowser();
    const a = browser.tab('a');
    const b = browser.tab('b');
    await browser.advance(0);
    const hidden = browser.posted.length;
    b.freeze();
    a.tabs.store.set('missed', 1);
    await browser.advance(0);
    // the browser threw away what a frozen tab was to hear
    b.thaw();
    a.tabs.store.set('next', 2);
    await browser.advance(0);
    assert.equal(b.tabs.store.get('missed'), 1);
    assert.equal(b.tabs.store.get('next'), 2);
    assert.ok(browser.posted.length > hidden);
  });

  it('let the newer version lead, and tell tabs of the older one to be loaded again', async () => {
    const browser = fakeBrowser();
    const old = browser.tab('old', { protocol: 1 });
    await browser.advance(0);
    const fresh = browser.tab('fresh', { protocol: 2 });
    await browser.advance(10_000);
    assert.equal(old.tabs.role(), 'outdated');
    assert.equal(fresh.tabs.role(), 'leader');
    assert.deepEqual(old.led, { began: 1, ended: 1 });
  });

  it('give the lead on when they are closed', async () => {
    const browser = fakeBrowser();
    const a = browser.tab('a');
    const b = browser.tab('b');
    await browser.advance(0);
    a.tabs.close();
    await browser.advance(0);
    assert.equal(b.tabs.role(), 'leader');
    assert.deepEqual(a.led, { began: 1, ended: 1 });
  });

  it('wait with commands until there is a leader', async () => {
    const browser = fakeBrowser();
    const a = browser.tab('a');
    const answer = a.tabs.call('set', 'early', true);
    await browser.advance(0);
    assert.equal(await answer, 'a did set');
  });
});
