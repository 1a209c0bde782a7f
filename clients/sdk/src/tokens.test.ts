import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Code } from '@connectrpc/connect';
import { settle, testEnvironment } from '../test/environment.ts';
import { createFakeServer, refusal } from '../test/fake-server.ts';
import { ParleyClientError } from './errors.ts';
import { memoryTokenStore, type TokenStore, webTokenStore } from './tokens.ts';
import { createTransports } from './transport.ts';

const MINUTE = 60_000;

async function world(options: { store?: TokenStore; skewMs?: number } = {}) {
  const env = testEnvironment();
  const server = createFakeServer(env.now);
  server.tokens.skewMs = options.skewMs ?? 0;
  const store = options.store ?? memoryTokenStore();
  const client = () => createTransports('http://parley.example', store, env, { fetch: server.fetch });
  const { auth, tokens, signedIn } = client();
  const { tokens: pair } = await auth.signIn({ address: 'mei@clinic.example', password: 'correct horse' });
  assert.ok(pair);
  await tokens.accept(pair, 'mei');
  return { env, server, store, tokens, client, signedIn };
}

const isSignedOut = (error: unknown) => error instanceof ParleyClientError && error.code === 'client.signed_out';

describe('tokens', () => {
  it('are handed out as they are while two thirds of their life are not over', async () => {
    const { env, server, tokens } = await world();
    const first = await tokens.access();
    await env.clock.advance(9 * MINUTE);
    assert.equal(await tokens.access(), first);
    assert.equal(server.tokens.refreshes, 0);
    await env.clock.advance(2 * MINUTE);
    assert.notEqual(await tokens.access(), first);
    assert.equal(server.tokens.refreshes, 1);
  });

  it('are refreshed once for all who ask at the same time', async () => {
    const { env, server, tokens } = await world();
    await env.clock.advance(11 * MINUTE);
    const got = await Promise.all(Array.from({ length: 20 }, () => tokens.access()));
    assert.equal(new Set(got).size, 1);
    assert.equal(server.tokens.refreshes, 1);
  });

  it('are refreshed once for all clients that share a store, and none is taken for a thief', async () => {
    const { env, server, tokens, client } = await world();
    const other = client().tokens;
    await env.clock.advance(11 * MINUTE);
    const [mine, theirs] = await Promise.all([tokens.access(), other.access()]);
    assert.equal(mine, theirs);
    assert.equal(server.tokens.refreshes, 1);
  });

  it('lock by the name of a shared store, and each store of its own otherwise', async () => {
    const names: string[] = [];
    const env = testEnvironment();
    const server = createFakeServer(env.now);
    const exclusive = <T>(name: string, work: () => Promise<T>) => {
      names.push(name);
      return work();
    };
    const storage = new Map<string, string>();
    const area = {
      getItem: (key: string) => storage.get(key) ?? null,
      setItem: (key: string, value: string) => void storage.set(key, value),
      removeItem: (key: string) => void storage.delete(key),
    } as unknown as Storage;
    for (const store of [webTokenStore(area, 'a'), memoryTokenStore(), memoryTokenStore()]) {
      const { auth, tokens } = createTransports('http://x.example', store, { ...env, exclusive }, server);
      const answer = await auth.signIn({ address: 'mei@clinic.example', password: 'correct horse' });
      assert.ok(answer.tokens);
      await tokens.accept(answer.tokens, 'mei');
    }
    assert.equal(names[0], 'tokens:a');
    assert.equal(new Set(names).size, 3);
    assert.equal(JSON.parse(storage.get('a') ?? '{}').personId, 'mei');
  });

  it('survive an answer that was lost: the predecessor gets the same successor', async () => {
    const { env, server, tokens } = await world();
    await env.clock.advance(11 * MINUTE);
    let lost = false;
    server.tokens.onRefreshed = async () => {
      if (lost) return;
      lost = true;
      throw new TypeError('the answer never arrives');
    };
    const asked = tokens.access();
    await env.clock.advance(2_000);
    assert.match(await asked, /^access-1-1-/);
    assert.equal(server.tokens.refreshes, 2);
  });

  it('go on with the old one while it works when the server cannot be reached, without asking at every call', async () => {
    const { env, server, tokens } = await world();
    const first = await tokens.access();
    await env.clock.advance(11 * MINUTE);
    server.down = true;
    const asked = tokens.access();
    await env.clock.advance(2_000);
    assert.equal(await asked, first);
    server.down = false;
    assert.equal(await tokens.access(), first, 'not asked again at once');
    assert.equal(server.tokens.refreshes, 0);
    await env.clock.advance(5_000);
    assert.notEqual(await tokens.access(), first);
  });

  it('keep nobody waiting while the old one works and the server hangs', async () => {
    const { env, server, tokens } = await world();
    const first = await tokens.access();
    await env.clock.advance(11 * MINUTE);
    const { promise: hangs, resolve: goesOn } = Promise.withResolvers<void>();
    server.tokens.onRefresh = () => hangs;
    const asked = tokens.access();
    await env.clock.advance(1_000);
    assert.equal(await asked, first);
    assert.equal(await tokens.access(), first, 'and the next not at all');
    goesOn();
    await settle(env);
    assert.notEqual(await tokens.access(), first);
    assert.equal(server.tokens.refreshes, 1);
  });

  it('are waited for when the old one ends meanwhile', async () => {
    const { env, server, tokens } = await world();
    const first = await tokens.access();
    await env.clock.advance(15 * MINUTE - 500);
    const { promise: hangs, resolve: goesOn } = Promise.withResolvers<void>();
    server.tokens.onRefresh = () => hangs;
    const asked = tokens.access();
    await env.clock.advance(2_000);
    goesOn();
    assert.notEqual(await asked, first);
  });

  it('cannot be had when the old one is over and the server cannot be reached; the sign-in stays', async () => {
    const { env, server, tokens } = await world();
    await env.clock.advance(16 * MINUTE);
    server.down = true;
    const asked = assert.rejects(tokens.access(), { code: 'client.network' });
    await env.clock.advance(2_000);
    await asked;
    assert.equal(await tokens.personId(), 'mei');
    server.down = false;
    assert.match(await tokens.access(), /^access-1-1-/);
  });

  it('are asked for once for all who wait when the refresh fails', async () => {
    const { env, server, tokens } = await world();
    await env.clock.advance(16 * MINUTE);
    server.tokens.onRefresh = async () => {
      throw refusal('directory.store_unavailable', Code.Unavailable);
    };
    const asked = Array.from({ length: 20 }, () =>
      assert.rejects(tokens.access(), { code: 'directory.store_unavailable' }),
    );
    await Promise.all(asked);
    assert.equal(server.tokens.refreshes, 1);
  });

  it('end when the refresh token is refused', async () => {
    const { env, server, tokens, store } = await world();
    server.tokens.endAll();
    await env.clock.advance(11 * MINUTE);
    await assert.rejects(tokens.access(), isSignedOut);
    assert.equal(await store.load(), undefined);
    await assert.rejects(tokens.access(), isSignedOut);
  });

  it('last as long as the server says, however wrong the local clock is', async () => {
    for (const skewMs of [-3 * 3_600_000, 3 * 3_600_000]) {
      const { env, server, tokens } = await world({ skewMs });
      const first = await tokens.access();
      assert.equal(await tokens.renewIn(first), 10 * MINUTE);
      assert.equal(await tokens.renewIn('another'), 0, 'whoever holds another should get this one');
      await env.clock.advance(9 * MINUTE);
      assert.equal(await tokens.access(), first);
      await env.clock.advance(2 * MINUTE);
      assert.equal(server.tokens.check(await tokens.access()), 'mei');
    }
  });

  it('of a new sign-in are not overwritten by a refresh of the old one that was under way', async () => {
    const { env, server, tokens, client } = await world();
    await env.clock.advance(11 * MINUTE);
    let answer = () => undefined as void;
    server.tokens.onRefresh = () => new Promise(resolve => (answer = resolve));
    const old = tokens.access();
    await settle(env);
    const { tokens: pair } = await client().auth.signIn({ address: 'tom@clinic.example', password: 'correct horse' });
    assert.ok(pair);
    const accepted = tokens.accept(pair, 'tom');
    answer();
    await Promise.all([old, accepted]);
    assert.equal(await tokens.personId(), 'tom');
    assert.equal(await tokens.access(), pair.accessToken);
  });

  it('of somebody else, put into the shared store by another tab, are not used', async () => {
    const { tokens, client } = await world();
    tokens.belongTo('mei');
    const { auth, tokens: elsewhere } = client();
    const { tokens: pair } = await auth.signIn({ address: 'tom@clinic.example', password: 'correct horse' });
    assert.ok(pair);
    await elsewhere.accept(pair, 'tom');
    await assert.rejects(tokens.access(), isSignedOut);
    assert.equal(await elsewhere.access(), pair.accessToken);
  });

  it('are not waited for longer than the caller wants', async () => {
    const { env, server, tokens } = await world();
    await env.clock.advance(11 * MINUTE);
    let answer = () => undefined as void;
    server.tokens.onRefresh = () => new Promise(resolve => (answer = resolve));
    const reason = new Error('enough');
    await assert.rejects(tokens.access(AbortSignal.abort(reason)), reason);
    const patient = tokens.access();
    await settle(env);
    answer();
    assert.match(await patient, /^access-1-1-/);
  });
});

describe('a call of a signed-in person', async () => {
  const { createClient } = await import('@connectrpc/connect');
  const { ImService } = await import('@parley/contracts/im/v1/im');

  it('is repeated once with a fresh token when the server does not take the old one', async () => {
    const { server, signedIn } = await world();
    server.tokens.revokeAccess();
    const answer = await createClient(ImService, signedIn).sync({});
    assert.equal(answer.cursor, 'c1');
    assert.equal(server.tokens.refreshes, 1);
  });

  it('is not repeated a second time', async () => {
    const { server, signedIn } = await world();
    let calls = 0;
    server.onSync = () => {
      calls++;
      throw refusal('rpc.token_expired', Code.Unauthenticated);
    };
    await assert.rejects(createClient(ImService, signedIn).sync({}), { code: Code.Unauthenticated });
    assert.equal(calls, 2);
    assert.equal(server.tokens.refreshes, 1);
  });

  it('is not repeated after any other refusal', async () => {
    const { server, signedIn } = await world();
    let calls = 0;
    server.onSync = () => {
      calls++;
      throw refusal('rpc.permission_denied', Code.PermissionDenied);
    };
    await assert.rejects(createClient(ImService, signedIn).sync({}), { code: Code.PermissionDenied });
    assert.equal(calls, 1);
    assert.equal(server.tokens.refreshes, 0);
  });
});
