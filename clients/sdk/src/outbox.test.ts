import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Code, createClient } from '@connectrpc/connect';
import { ImService } from '@parley/contracts/im/v1/im';
import { settle, testEnvironment } from '../test/environment.ts';
import { createFakeServer, refusal } from '../test/fake-server.ts';
import { createOutbox } from './outbox.ts';
import { memoryOutboxStore, type OutboxStore, type OutgoingMessage, webOutboxStore } from './outbox-store.ts';
import { memoryTokenStore, type TokenStore } from './tokens.ts';
import { createTransports } from './transport.ts';

async function world(store: OutboxStore = memoryOutboxStore(), tokenStore: TokenStore = memoryTokenStore()) {
  const env = testEnvironment();
  const server = createFakeServer(env.now);
  const { auth, tokens, signedIn } = createTransports('http://parley.example', tokenStore, env, server);
  const { tokens: pair } = await auth.signIn({ address: 'mei@clinic.example', password: 'correct horse' });
  assert.ok(pair);
  await tokens.accept(pair, 'mei');
  const im = createClient(ImService, signedIn);
  return { env, server, store, im, outbox: createOutbox('mei', im, store, env) };
}

/** Holds every message until it is let go. */
function gate() {
  const held: (() => void)[] = [];
  return { hold: () => new Promise<void>(resolve => void held.push(resolve)), held };
}

const written = (over: Partial<OutgoingMessage>): OutgoingMessage => ({
  messageId: '00000000-0000-4000-8000-0000000000aa',
  senderId: 'mei',
  recipientId: 'tom',
  text: 'left behind',
  importance: 'normal',
  afterKey: '',
  queuedMs: 1,
  attempts: 0,
  ...over,
});

describe('the outbox', () => {
  it('resolves with what the server stored and keeps the message no longer', async () => {
    const { outbox, server, store } = await world();
    const { message, acknowledged } = outbox.send('tom', '早安 👋', { importance: 'high', afterKey: 'k000000' });
    const result = await acknowledged;
    assert.equal(result.eventId, `mei.${message.messageId}`);
    assert.deepEqual(await store.load(), []);
    const [request] = server.sent;
    assert.equal(request?.content?.text, '早安 👋');
    assert.equal(request?.content?.importance, 2);
    assert.equal(request?.afterKey, 'k000000');
    assert.equal(request?.attempt, 0);
  });

  it('tries again with the same id, the same content and a growing attempt, until it is acknowledged', async () => {
    const { env, outbox, server, store } = await world();
    let failures = 3;
    server.onSend = () => {
      if (failures-- > 0) throw refusal('rpc.unavailable', Code.Unavailable);
    };
    const { message, acknowledged } = outbox.send('tom', 'hello');
    await settle(env);
    assert.deepEqual(
      (await store.load()).map(m => m.attempts),
      [1],
      'that it was tried is kept',
    );
    await env.clock.advance(60_000);
    await acknowledged;
    assert.deepEqual(
      server.sent.map(r => [r.messageId, r.content?.text, r.attempt]),
      [0, 1, 2, 3].map(n => [message.messageId, 'hello', n]),
    );
  });

  it('waits as long as a refusal says, and longer with every failure', async () => {
    const { env, outbox, server } = await world();
    const times: number[] = [];
    server.onSend = () => {
      times.push(env.now());
      if (times.length === 1) throw refusal('im.rate_limited', Code.ResourceExhausted, { retryAfterMs: 4_000 });
      if (times.length <= 5) throw refusal('im.store_unavailable', Code.Unavailable);
    };
    const { acknowledged } = outbox.send('tom', 'hello');
    await env.clock.advance(60_000);
    await acknowledged;
    const pauses = times.slice(1).map((time, i) => time - (times[i] as number));
    assert.equal(pauses[0], 4_000);
    assert.deepEqual(pauses.slice(1), [250, 500, 1_000, 2_000], 'half of 500, 1,000 …, as jitter is one half');
  });

  it('gives up what was refused for good, and goes on with the next', async () => {
    const codes: readonly (readonly [string, Code])[] = [
      ['im.archive_unavailable', Code.Unavailable],
      ['im.text_too_long', Code.ResourceExhausted],
      ['im.message_id_reused', Code.AlreadyExists],
      ['im.recipient_disabled', Code.FailedPrecondition],
      ['rpc.permission_denied', Code.PermissionDenied],
    ];
    for (const [code, status] of codes) {
      const { outbox, server, store } = await world();
      server.onSend = request => {
        if (request.content?.text === 'bad') throw refusal(code, status, { field: 'content.text' });
      };
      const bad = outbox.send('tom', 'bad');
      const good = outbox.send('tom', 'good');
      await assert.rejects(bad.acknowledged, { code, field: 'content.text', requestId: 'r-1' });
      await good.acknowledged;
      assert.equal(server.sent.length, 2, code);
      assert.deepEqual(await store.load(), []);
    }
  });

  it('has one message in flight for each conversation and keeps the order, while other conversations go on', async () => {
    const { env, outbox, server } = await world();
    const { hold, held } = gate();
    server.onSend = request => (request.recipientId === 'tom' ? hold() : undefined);
    const toTom = ['1', '2', '3'].map(text => outbox.send('tom', text).acknowledged);
    await outbox.send('ana', 'meanwhile').acknowledged;
    for (let n = 1; n <= 3; n++) {
      await settle(env);
      assert.equal(held.length, n, 'never two at once');
      held.at(-1)?.();
      await toTom[n - 1];
    }
    assert.deepEqual(
      server.sent.filter(r => r.recipientId === 'tom').map(r => r.content?.text),
      ['1', '2', '3'],
    );
  });

  it('keeps the order even when the store is slower for the first than for the second', async () => {
    const store = memoryOutboxStore();
    let first = true;
    const { env, outbox, server } = await world({
      ...store,
      async put(message) {
        if (first) {
          first = false;
          await env.clock.sleep(100);
        }
        await store.put(message);
      },
    });
    const all = [outbox.send('tom', 'first').acknowledged, outbox.send('tom', 'second').acknowledged];
    await env.clock.advance(200);
    await Promise.all(all);
    assert.deepEqual(
      server.sent.map(r => r.content?.text),
      ['first', 'second'],
    );
  });

  it('lets a message sort after the one before it, whatever replica takes it', async () => {
    const { outbox, server } = await world();
    const first = outbox.send('tom', 'first', { afterKey: 'k000000' });
    const second = outbox.send('tom', 'second', { afterKey: 'k000000' });
    const { key } = await first.acknowledged;
    await second.acknowledged;
    assert.equal(server.sent[1]?.afterKey, key);
  });

  it('stops trying when the caller gives up, and does not send it in a later run', async () => {
    const { env, outbox, server, store } = await world();
    server.down = true;
    const stop = new AbortController();
    const { acknowledged } = outbox.send('tom', 'hello', { signal: stop.signal });
    await settle(env);
    const reason = new Error('changed my mind');
    stop.abort(reason);
    await assert.rejects(acknowledged, reason);
    assert.deepEqual(await store.load(), []);
    server.down = false;
    await outbox.send('tom', 'next').acknowledged;
    assert.deepEqual(
      server.sent.map(r => r.content?.text),
      ['next'],
    );
  });

  it('lets go of a waiting message at once when the caller gives up, without letting those behind it overtake', async () => {
    const { env, outbox, server } = await world();
    const { hold, held } = gate();
    server.onSend = hold;
    const first = outbox.send('tom', 'first').acknowledged;
    const second = outbox.send('tom', 'second', { signal: AbortSignal.abort(new Error('no')) }).acknowledged;
    const third = outbox.send('tom', 'third').acknowledged;
    await assert.rejects(second, { message: 'no' });
    await settle(env);
    assert.equal(server.sent.length, 1);
    held[0]?.();
    await first;
    await settle(env);
    held[1]?.();
    await third;
    assert.deepEqual(
      server.sent.map(r => r.content?.text),
      ['first', 'third'],
    );
  });

  it('takes up what an earlier run left, in its order and with its ids, and tells what became of it', async () => {
    const store = memoryOutboxStore();
    await store.put(written({ messageId: '00000000-0000-4000-8000-0000000000b2', text: 'second', queuedMs: 2 }));
    await store.put(written({ messageId: '00000000-0000-4000-8000-0000000000b1', text: 'first', attempts: 4 }));
    await store.put(written({ messageId: '00000000-0000-4000-8000-0000000000b3', text: 'refused', queuedMs: 3 }));
    await store.put(written({ messageId: '00000000-0000-4000-8000-0000000000b4', senderId: 'tom', text: 'not mine' }));
    const { env, outbox, server } = await world(store);
    server.onSend = request => {
      if (request.content?.text === 'refused') throw refusal('im.recipient_disabled', Code.FailedPrecondition);
    };
    const settled: string[] = [];
    const left = await outbox.resume((m, result) =>
      settled.push(`${m.text}: ${result instanceof Error ? result.message : result.key}`),
    );
    assert.deepEqual(
      left.map(m => m.text),
      ['first', 'second', 'refused'],
    );
    await outbox.send('tom', 'new').acknowledged;
    await settle(env);
    assert.deepEqual(
      server.sent.map(r => [r.content?.text, r.attempt]),
      [
        ['first', 5],
        ['second', 1],
        ['refused', 1],
        ['new', 0],
      ],
    );
    assert.deepEqual(settled, ['first: k000001', 'second: k000002', 'refused: refused: im.recipient_disabled']);
    assert.deepEqual(
      (await store.load()).map(m => m.text),
      ['not mine'],
    );
  });

  it('keeps what waits when it is closed, and when the sign-in is over', async () => {
    const { env, outbox, server, store } = await world();
    server.down = true;
    const closed = outbox.send('tom', 'later').acknowledged;
    await settle(env);
    outbox.close();
    await assert.rejects(closed, { name: 'AbortError' });
    assert.deepEqual(
      (await store.load()).map(m => m.text),
      ['later'],
    );

    const over = await world();
    over.server.tokens.endAll();
    await assert.rejects(over.outbox.send('tom', 'unsent').acknowledged, { code: 'client.signed_out' });
    assert.deepEqual(
      (await over.store.load()).map(m => m.text),
      ['unsent'],
    );
  });

  it('tries at once when it is woken', async () => {
    const { env, outbox, server } = await world();
    server.down = true;
    const { acknowledged } = outbox.send('tom', 'hello');
    await settle(env);
    server.down = false;
    outbox.wake();
    await acknowledged;
    assert.equal(server.sent.length, 1);
  });

  it('sends nothing that it could not keep', async () => {
    const { outbox, server } = await world({
      ...memoryOutboxStore(),
      put: async () => {
        throw new Error('the disk is full');
      },
    });
    await assert.rejects(outbox.send('tom', 'hello').acknowledged, { message: 'the disk is full' });
    assert.equal(server.sent.length, 0);
  });
});

describe('the outbox in a Web Storage area', () => {
  it('keeps messages in the order they were put first', async () => {
    const items = new Map<string, string>();
    const storage = {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => void items.set(key, value),
    } as unknown as Storage;
    const store = webOutboxStore(storage, 'outbox');
    await store.put(written({ messageId: 'a' }));
    await store.put(written({ messageId: 'b' }));
    await store.put(written({ messageId: 'a', attempts: 1 }));
    assert.deepEqual(
      (await webOutboxStore(storage, 'outbox').load()).map(m => [m.messageId, m.attempts]),
      [
        ['a', 1],
        ['b', 0],
      ],
    );
    await store.remove('a');
    assert.equal((await store.load()).length, 1);
  });
});
