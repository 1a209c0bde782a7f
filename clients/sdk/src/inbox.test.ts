import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Code, createClient, createRouterTransport } from '@connectrpc/connect';
import type { ImEvent, SyncRequest } from '@parley/contracts/im/v1/im';
import { ImService } from '@parley/contracts/im/v1/im';
import { settle, testEnvironment } from '../test/environment.ts';
import { event } from '../test/events.ts';
import { refusal } from '../test/fake-server.ts';
import { createInbox, memoryCursorStore } from './inbox.ts';

type Answer = { events?: ImEvent[]; complete?: boolean; cursor?: string; nextPage?: string };

function world(answer: (request: SyncRequest, call: number) => Answer | Promise<Answer>) {
  const env = testEnvironment();
  const calls: { cursor: string; page: string }[] = [];
  const transport = createRouterTransport(router =>
    router.service(ImService, {
      sync(request) {
        calls.push({ cursor: request.cursor, page: request.page });
        return answer(request, calls.length);
      },
    }),
  );
  const cursors = memoryCursorStore();
  const inbox = createInbox(createClient(ImService, transport), cursors, env, () => 'mei');
  const got: string[] = [];
  inbox.onEvent(e => got.push(e.id));
  return { env, calls, cursors, inbox, got };
}

const from = (n: number) => event({ senderId: 'tom', to: 'mei', n });
const done = (cursor: string, ...events: ImEvent[]): Answer => ({ events, complete: true, cursor });

describe('the inbox', () => {
  it('reads page by page and keeps only the cursor of a complete run', async () => {
    const { inbox, calls, cursors, got } = world((_, call) =>
      call < 3 ? { events: [from(call)], nextPage: `p${call}` } : done('c1', from(3)),
    );
    await inbox.sync();
    assert.deepEqual(got, ['tom.m1', 'tom.m2', 'tom.m3']);
    assert.deepEqual(calls, [
      { cursor: '', page: '' },
      { cursor: '', page: 'p1' },
      { cursor: '', page: 'p2' },
    ]);
    assert.equal(await cursors.load(), 'mei c1');
    await inbox.sync();
    assert.deepEqual(calls.at(-1), { cursor: 'c1', page: '' });
  });

  it('tells of an event that comes again with a later key as moved, not as new', async () => {
    const { inbox, got } = world(() => done('c1', { ...from(1), key: 'k000007' }));
    const moved: string[] = [];
    inbox.onMoved(e => moved.push(`${e.id} ${e.key}`));
    inbox.push(from(1));
    await inbox.sync();
    inbox.push(from(1)); // what was told first may come late
    await inbox.sync();
    assert.deepEqual(got, ['tom.m1']);
    assert.deepEqual(moved, ['tom.m1 k000007']);
  });

  it('keeps no cursor of a run that broke off, so that the next one begins where the last complete one ended', async () => {
    const { env, inbox, calls, cursors } = world((request, call) => {
      if (call === 1) return done('c1');
      if (request.page === 'p1') throw refusal('rpc.permission_denied', Code.PermissionDenied);
      return { events: [from(call)], nextPage: 'p1' };
    });
    await inbox.sync();
    await assert.rejects(inbox.sync(), { code: 'rpc.permission_denied' });
    assert.equal(await cursors.load(), 'mei c1');
    await assert.rejects(inbox.sync());
    assert.equal(calls.at(-2)?.cursor, 'c1');
    assert.equal(env.clock.pending, 0);
  });

  it('hands on each event once, pushed or synchronised or both', async () => {
    const { inbox, got } = world(() => done('c1', from(1), from(2), from(3)));
    inbox.push(from(2));
    inbox.push(from(2));
    await inbox.sync();
    await inbox.sync();
    inbox.push(from(3));
    assert.deepEqual(got, ['tom.m2', 'tom.m1', 'tom.m3']);
  });

  it('makes one more run follow for all who ask during a run, and lets them wait for it', async () => {
    const waiting: (() => void)[] = [];
    const { env, inbox, calls } = world(async () => {
      await new Promise<void>(resolve => void waiting.push(resolve));
      return done('c');
    });
    const order: string[] = [];
    const all = ['first', 'second', 'third'].map(name => inbox.sync().then(() => order.push(name)));
    await settle(env);
    assert.equal(calls.length, 1);
    waiting[0]?.();
    await settle(env);
    assert.equal(calls.length, 2);
    assert.deepEqual(order, [], 'the first run began before the others asked');
    waiting[1]?.();
    await Promise.all(all);
    assert.equal(calls.length, 2);
    assert.equal(order.length, 3);
  });

  it('tries a page again while the server cannot be reached, from that page', async () => {
    const { env, inbox, calls, got } = world((request, call) => {
      if (call === 2 || call === 3) throw refusal('rpc.unavailable', Code.Unavailable);
      return request.page === '' ? { events: [from(1)], nextPage: 'p1' } : done('c1', from(2));
    });
    const synced = inbox.sync();
    await env.clock.advance(60_000);
    await synced;
    assert.deepEqual(
      calls.map(c => c.page),
      ['', 'p1', 'p1', 'p1'],
    );
    assert.deepEqual(got, ['tom.m1', 'tom.m2']);
  });

  it('gives up after six tries, and at once after a refusal', async () => {
    const away = world(() => {
      throw refusal('rpc.unavailable', Code.Unavailable);
    });
    const synced = assert.rejects(away.inbox.sync(), { code: 'rpc.unavailable' });
    await away.env.clock.advance(300_000);
    await synced;
    assert.equal(away.calls.length, 6);

    const refused = world(() => {
      throw refusal('im.limit_invalid', Code.InvalidArgument);
    });
    await assert.rejects(refused.inbox.sync(), { code: 'im.limit_invalid' });
    assert.equal(refused.calls.length, 1);
  });

  it('begins as a new device when the server does not know its cursor', async () => {
    const { inbox, calls, cursors } = world(request => {
      if (request.cursor !== '') throw refusal('im.cursor_invalid', Code.InvalidArgument);
      return done('c3');
    });
    await cursors.save('mei stale');
    await inbox.sync();
    assert.deepEqual(
      calls.map(c => c.cursor),
      ['stale', ''],
    );
    assert.equal(await cursors.load(), 'mei c3');
  });

  it("does not use the cursor of somebody else's inbox", async () => {
    const { inbox, calls, cursors } = world(() => done('c1'));
    await cursors.save('tom c9');
    await inbox.sync();
    assert.equal(calls[0]?.cursor, '');
  });

  it('ends the waiting of a caller who gives up, not the run', async () => {
    let answer = () => undefined as void;
    const { env, inbox, cursors } = world(async () => {
      await new Promise<void>(resolve => (answer = resolve));
      return done('c1');
    });
    const stop = new AbortController();
    const impatient = inbox.sync(stop.signal);
    await settle(env);
    stop.abort(new Error('enough'));
    await assert.rejects(impatient, { message: 'enough' });
    answer();
    await settle(env);
    assert.equal(await cursors.load(), 'mei c1');
  });

  it('stops in the middle of a run without keeping a cursor', async () => {
    let answer = () => undefined as void;
    const { env, inbox, cursors, got } = world(async () => {
      await new Promise<void>(resolve => (answer = resolve));
      return done('c1', from(1));
    });
    const run = assert.rejects(inbox.sync(), { name: 'AbortError' });
    await settle(env);
    inbox.stop();
    answer();
    await run;
    assert.equal(await cursors.load(), undefined);
    assert.deepEqual(got, []);
  });

  it('keeps telling the others when one listener throws', async () => {
    const { inbox, got } = world(() => done('c1'));
    const thrown: unknown[] = [];
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', error => thrown.push(error));
    inbox.onEvent(() => {
      throw new Error('broken view');
    });
    const later: string[] = [];
    inbox.onEvent(e => later.push(e.id));
    inbox.push(from(1));
    await new Promise(resolve => setImmediate(resolve));
    for (const listener of before) process.on('uncaughtException', listener);
    assert.deepEqual([got, later], [['tom.m1'], ['tom.m1']]);
    assert.match(String(thrown[0]), /broken view/);
  });
});
