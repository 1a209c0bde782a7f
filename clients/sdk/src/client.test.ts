import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Code } from '@connectrpc/connect';
import { ResyncReason } from '@parley/contracts/session/v1/session';
import { settle, testEnvironment } from '../test/environment.ts';
import { event } from '../test/events.ts';
import { createFakeServer, refusal } from '../test/fake-server.ts';
import { CLIENT_VERSION, createParleyClient } from './client.ts';
import { memoryCursorStore, memoryOutboxStore, memoryTokenStore, type ParleyClientOptions } from './index.ts';

async function world(options: Partial<ParleyClientOptions> = {}) {
  const env = testEnvironment();
  const server = createFakeServer(env.now);
  const make = (more: Partial<ParleyClientOptions> = {}) =>
    createParleyClient({
      baseUrl: 'http://parley.example',
      fetch: server.fetch,
      environment: env,
      ...options,
      ...more,
    });
  const client = make();
  await client.signIn('mei@clinic.example', 'correct horse');
  const shown = (personId = 'tom', of = client) =>
    of.conversations
      .with(personId)
      .getSnapshot()
      .messages.map(m => `${m.senderId}: ${m.text} (${m.state})`);
  return { env, server, client, make, shown };
}

const fromTom = (n: number) => event({ senderId: 'tom', to: 'mei', n });

describe('a client', () => {
  it('names the version of its package', () => {
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    assert.equal(CLIENT_VERSION, manifest.version);
  });

  it('signs in with a typed refusal, and stays signed in through its token store', async () => {
    const tokens = memoryTokenStore();
    const { client, make } = await world({ tokens });
    assert.equal(await client.signedInAs(), 'mei');
    assert.equal(await make().signedInAs(), 'mei');
    await assert.rejects(make({ tokens: memoryTokenStore() }).signIn('mei@clinic.example', 'wrong'), {
      code: 'directory.sign_in_refused',
      requestId: 'r-1',
    });
  });

  it('carries the trace of the caller with calls, sign-in and stream, and nothing that is none', async () => {
    const carried: [string, string | null][] = [];
    const env = testEnvironment();
    const server = createFakeServer(env.now);
    let trace: string | undefined = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const client = createParleyClient({
      baseUrl: 'http://parley.example',
      environment: env,
      fetch(input, init) {
        const { url, headers } = new Request(input, init);
        carried.push([new URL(url).pathname.slice(1), headers.get('traceparent')]);
        return server.fetch(input, init);
      },
      traceparent: () => trace,
    });
    await client.signIn('mei@clinic.example', 'correct horse');
    await client.connect();
    await client.send('tom', 'good morning').acknowledged;
    assert.deepEqual(
      ['directory.v1.AuthService/SignIn', 'session.v1.SessionService/Connect', 'im.v1.ImService/SendMessage'].map(
        call => carried.find(([path]) => path === `parley.${call}`)?.[1],
      ),
      [trace, trace, trace],
    );
    for (const none of [undefined, '', 'not a trace', `${trace}\r\nx: y`]) {
      trace = none;
      await client.findPeople(['tom']);
      const found = carried.findLast(([path]) => path === 'parley.directory.v1.DirectoryService/GetPeople');
      assert.deepEqual(found?.[1], null);
    }
    await client.close();
  });

  it('sends in the order of the calls, the very first ones too', async () => {
    const { client, server } = await world();
    await Promise.all(['1', '2', '3'].map(text => client.send('tom', text).acknowledged));
    assert.deepEqual(
      server.sent.map(r => r.content?.text),
      ['1', '2', '3'],
    );
  });

  it('shows a message while it is on its way, when it is durable, and when it failed', async () => {
    const { env, client, server, shown } = await world();
    const { messageId, acknowledged } = client.send('tom', 'hello');
    await settle(env);
    await acknowledged;
    assert.deepEqual(shown(), ['mei: hello (sent)']);
    assert.equal(client.conversations.with('tom').getSnapshot().messages[0]?.id, `mei.${messageId}`);

    server.onSend = () => {
      throw refusal('im.archive_unavailable', Code.Unavailable, { retryAfterMs: 100 });
    };
    const refused = client.send('tom', 'critical');
    await settle(env);
    assert.deepEqual(shown(), ['mei: hello (sent)', 'mei: critical (failed)'], 'nobody needs to wait for it');
    server.onSend = () => undefined;
    await client.send('tom', 'critical', { messageId: refused.messageId }).acknowledged;
    assert.deepEqual(shown(), ['mei: hello (sent)', 'mei: critical (sent)']);
  });

  it('sends what was written while the server was away as soon as the stream is open again', async () => {
    const { env, client, server, shown } = await world();
    await client.connect();
    server.down = true;
    server.streams[0]?.cut();
    await settle(env);
    const all = ['one', 'two'].map(text => client.send('tom', text).acknowledged);
    await settle(env);
    assert.deepEqual(shown(), ['mei: one (sending)', 'mei: two (sending)']);
    await env.clock.advance(60_000);
    server.down = false;
    client.wake();
    await Promise.all(all);
    assert.deepEqual(shown(), ['mei: one (sent)', 'mei: two (sent)']);
    await client.close();
  });

  it('shows and sends what an earlier run left behind', async () => {
    const keep = { tokens: memoryTokenStore(), outbox: memoryOutboxStore() };
    const { env, client, server, make, shown } = await world(keep);
    server.down = true;
    client.send('tom', 'written in the train');
    await settle(env);
    await client.close();
    server.down = false;
    const later = make();
    await later.connect();
    await settle(env);
    assert.deepEqual(shown('tom', later), ['mei: written in the train (sent)']);
    assert.equal(server.sent.length, 1);
    await later.close();
  });

  it('answers what it has seen: the greatest key of the conversation goes along', async () => {
    const { client, server } = await world();
    server.onSync = () => ({ events: [fromTom(7), fromTom(5)], complete: true, cursor: 'c1' });
    await client.connect();
    await client.sync();
    await client.send('tom', 'an answer').acknowledged;
    assert.equal(server.sent[0]?.afterKey, 'k000007');
    await client.close();
  });

  it('synchronises on Connect, when the server asks for it, and regularly', async () => {
    const { env, client, server } = await world();
    let syncs = 0;
    server.onSync = () => {
      syncs++;
      return { complete: true, cursor: `c${syncs}` };
    };
    await client.connect();
    await settle(env);
    assert.equal(syncs, 1);
    const stream = server.streams[0] ?? assert.fail();
    stream.push({ case: 'resync', value: { afterMs: 2_000, reason: ResyncReason.CONTINUITY } });
    await settle(env);
    assert.equal(syncs, 1);
    await env.clock.advance(2_000);
    assert.equal(syncs, 2);
    for (let i = 0; i < 20; i++) {
      await env.clock.advance(30_000);
      stream.push({ case: 'heartbeat', value: {} });
    }
    assert.equal(syncs, 4, 'after 300 and 600 seconds');
    await client.close();
  });

  it('comes back soon to a synchronisation that failed', async () => {
    const { env, client, server } = await world();
    let syncs = 0;
    server.onSync = () => {
      if (++syncs <= 6) throw refusal('rpc.unavailable', Code.Unavailable);
      return { complete: true, cursor: 'c', events: [fromTom(1)] };
    };
    const heard: string[] = [];
    client.onEvent(e => heard.push(e.id));
    await client.connect();
    for (let i = 0; i < 3; i++) {
      await env.clock.advance(15_000);
      server.streams[0]?.push({ case: 'heartbeat', value: {} });
    }
    assert.deepEqual(heard, ['tom.m1']);
    await client.close();
  });

  it('changes the password and goes on with the new sign-in, stream and all', async () => {
    const { env, client, server } = await world();
    await client.connect();
    await assert.rejects(client.changePassword('wrong', 'a long new password'), { code: 'directory.password_wrong' });
    await client.changePassword('correct horse', 'a long new password');
    await settle(env);
    assert.equal(client.connection.getSnapshot().phase, 'online');
    assert.equal(server.streams.length, 2);
    await client.sync();
    await client.close();
  });

  it('signs out here and on the server, and shows nothing of one person to the next', async () => {
    const cursors = memoryCursorStore();
    const { client, server, shown } = await world({ cursors });
    const asked: string[] = [];
    server.onSync = ({ cursor }) => {
      asked.push(cursor);
      return { events: [fromTom(1)], complete: true, cursor: 'meis-cursor' };
    };
    await client.connect();
    await client.watch(['tom']);
    await client.sync();
    assert.deepEqual(shown(), ['tom: text 1 (received)']);
    await client.signOut({ everywhere: true });
    assert.deepEqual(server.tokens.signedOut, [{ refreshToken: 'refresh/1/0', everywhere: true }]);
    assert.equal(await client.signedInAs(), undefined);
    assert.deepEqual(shown(), []);
    await assert.rejects(client.send('tom', 'hello').acknowledged, { code: 'client.signed_out' });
    await assert.rejects(client.sync(), { code: 'client.signed_out' });

    await client.signIn('ana@clinic.example', 'correct horse');
    asked.length = 0;
    await client.connect();
    await client.sync();
    assert.equal(asked[0], '', 'her inbox from its beginning');
    assert.deepEqual(server.streams.at(-1)?.request.watchPersonIds, []);
    await client.close();
  });

  it('does not send what one person left in the outbox in the name of another', async () => {
    const outbox = memoryOutboxStore();
    const { env, client, server, make } = await world({ outbox });
    server.down = true;
    client.send('tom', 'from Mei');
    await settle(env);
    server.down = false;
    await client.close();
    const next = make({ tokens: memoryTokenStore() });
    await next.signIn('ana@clinic.example', 'correct horse');
    await next.connect();
    await next.send('tom', 'from Ana').acknowledged;
    assert.deepEqual(
      server.sent.map(r => r.content?.text),
      ['from Ana'],
    );
    assert.equal((await outbox.load()).length, 1);
    await next.close();
  });

  it('finds any number of people', async () => {
    const { client } = await world();
    const names = [...Array.from({ length: 450 }, (_, i) => `id${i}`), 'tom@clinic.example'];
    const found = await client.findPeople(names);
    assert.equal(new Set(found.map(p => p.id)).size, 451);
  });

  it('takes a conversation in which nothing was said for an empty one', async () => {
    const { client, server } = await world();
    const real = server.fetch;
    const other = createParleyClient({
      baseUrl: 'http://parley.example',
      fetch: real,
      tokens: memoryTokenStore(),
    });
    await other.signIn('mei@clinic.example', 'correct horse');
    server.onHistory = () => {
      throw refusal('im.conversation_not_found', Code.NotFound);
    };
    assert.equal(await other.loadHistory('tom'), undefined);
    server.onHistory = () => ({ events: [fromTom(2), fromTom(1)], nextCursor: 'older' });
    assert.equal(await client.loadHistory('tom', { limit: 2 }), 'older');
    assert.equal(client.conversations.with('tom').getSnapshot().messages.length, 2);
  });
});
