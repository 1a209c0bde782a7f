import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Code } from '@connectrpc/connect';
import { SessionEndReason } from '@parley/contracts/session/v1/session';
import { settle, testEnvironment } from '../test/environment.ts';
import { createFakeServer, refusal } from '../test/fake-server.ts';
import { createParleyClient } from './client.ts';
import { DeviceType, MachineState, memoryTokenStore, type ParleyClientOptions } from './index.ts';

const MINUTE = 60_000;

async function world(options: Partial<ParleyClientOptions> = {}) {
  const env = testEnvironment();
  const server = createFakeServer(env.now);
  const client = createParleyClient({
    baseUrl: 'http://parley.example/',
    fetch: server.fetch,
    environment: env,
    endpointId: 'meis-computer-1',
    ...options,
  });
  await client.signIn('mei@clinic.example', 'correct horse');
  const state = () => client.connection.getSnapshot();
  const phases: string[] = [];
  client.connection.subscribe(() => phases.push(state().phase));
  /** Runs what is ready until the stream is online. */
  const onlineAgain = async (ms = 0) => {
    await env.clock.advance(ms);
    assert.equal(state().phase, 'online', JSON.stringify(state()));
  };
  const kinds = (kind: string) => server.commands.filter(c => c.kind === kind);
  return { env, server, client, state, phases, onlineAgain, kinds, last: () => server.streams.at(-1) };
}

async function connected(options: Partial<ParleyClientOptions> = {}) {
  const here = await world(options);
  await here.client.connect();
  return here;
}

describe('a connection', () => {
  it('opens one stream as the device it is, and is online when the server says so', async () => {
    const { client, server, state, phases } = await world({ name: 'test', device: DeviceType.MOBILE });
    server.tokens.skewMs = -5_000;
    await client.connect({ machineState: MachineState.AWAY });
    assert.deepEqual(phases, ['connecting', 'online']);
    const { request } = server.streams[0] ?? assert.fail();
    assert.equal(request.endpointId, 'meis-computer-1');
    assert.equal(request.device, DeviceType.MOBILE);
    assert.equal(request.machineState, MachineState.AWAY);
    assert.equal(request.clientVersion, 'test/0.1.0');
    const now = state();
    assert.ok(now.phase === 'online');
    assert.equal(now.serverVersion, '0.1.0');
    assert.equal(now.upgradeAdvised, false);
    assert.equal(now.clockAheadMs, 5_000);
    await client.connect();
    assert.equal(server.streams.length, 1, 'connecting again changes nothing');
    await client.close();
  });

  it('says when the server advises a newer client', async () => {
    const { client, server, state } = await world();
    server.connected.recommendedClientVersion = '0.10.0';
    await client.connect();
    const now = state();
    assert.equal(now.phase === 'online' && now.upgradeAdvised, true);
    await client.close();
  });

  it('comes back with a growing, jittered pause while the server cannot be reached, at once when it is woken', async () => {
    const { env, client, server, state, onlineAgain } = await connected();
    server.down = true;
    server.streams[0]?.cut();
    await settle(env);
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      const now = state();
      assert.ok(now.phase === 'waiting', now.phase);
      waits.push(now.retryAtMs - env.now());
      await env.clock.advance(now.retryAtMs - env.now());
    }
    assert.deepEqual(waits, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    server.down = false;
    client.wake();
    await onlineAgain();
    await client.close();
  });

  it('does not hammer a server that opens streams only to drop them', async () => {
    const { env, client, server, state } = await connected();
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      server.streams.at(-1)?.cut();
      await settle(env);
      const now = state();
      assert.ok(now.phase === 'waiting');
      waits.push(now.retryAtMs - env.now());
      await env.clock.advance(now.retryAtMs - env.now());
    }
    assert.deepEqual(waits, [250, 500, 1_000, 2_000, 4_000]);
    await env.clock.advance(15_000);
    server.streams.at(-1)?.cut();
    await settle(env);
    const now = state();
    assert.equal(now.phase === 'waiting' && now.retryAtMs - env.now(), 250, 'a stream that lived starts anew');
    await client.close();
  });

  it('takes a stream without heartbeats for dead after two and a half of them', async () => {
    const { env, client, server, state, last } = await connected();
    for (let i = 0; i < 5; i++) {
      await env.clock.advance(45_000);
      last()?.push({ case: 'heartbeat', value: {} });
    }
    await env.clock.advance(49_000);
    assert.equal(server.streams.length, 1);
    await env.clock.advance(1_001);
    const now = state();
    assert.equal(now.phase === 'waiting' && now.error.code, 'client.stream_silent');
    await env.clock.advance(1_000);
    assert.equal(state().phase, 'online');
    assert.equal(server.streams.length, 2);
    await client.close();
    assert.equal(env.clock.pending, 0, 'no timer is left');
  });

  it('does not wait for ever for a stream to open', async () => {
    const { env, client, state, server } = await world();
    const real = server.fetch;
    let hang = true;
    const hanging: typeof fetch = (input, init) =>
      hang && typeof input === 'string' && input.endsWith('/Connect')
        ? new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
        : real(input, init);
    const other = createParleyClient({ baseUrl: 'http://parley.example', fetch: hanging, environment: env });
    await other.signIn('mei@clinic.example', 'correct horse');
    const online = other.connect();
    await env.clock.advance(20_000);
    const now = other.connection.getSnapshot();
    assert.equal(now.phase === 'waiting' && now.error.code, 'client.stream_silent');
    hang = false;
    await env.clock.advance(1_000);
    await online;
    assert.equal(state().phase, 'idle', 'the other client is not concerned');
    await other.close();
    await client.close();
  });

  it('goes elsewhere when the server asks for it, after the time it says', async () => {
    const { env, client, server, state, last } = await connected();
    last()?.push({ case: 'reconnect', value: { afterMs: 3_000 } });
    await settle(env);
    const now = state();
    assert.equal(now.phase === 'waiting' && now.retryAtMs - env.now(), 3_000);
    await env.clock.advance(3_000);
    assert.equal(state().phase, 'online');
    assert.equal(server.streams.length, 2);
    await client.close();
  });

  it('waits as long as a refused opening says', async () => {
    const { env, client, server, state } = await world();
    server.onConnect = () => {
      throw refusal('session.too_many_connects', Code.Unavailable, { retryAfterMs: 7_000 });
    };
    const online = client.connect();
    await settle(env);
    const now = state();
    assert.equal(now.phase === 'waiting' && now.retryAtMs - env.now(), 7_000);
    server.onConnect = () => undefined;
    await env.clock.advance(7_000);
    await online;
    await client.close();
  });

  it('ends for good when it is taken over, signed out or refused, and says why', async () => {
    for (const [reason, expected] of [
      [SessionEndReason.TAKEN_OVER, 'taken-over'],
      [SessionEndReason.SIGNED_OUT, 'signed-out'],
    ] as const) {
      const { env, client, server, state, last } = await connected();
      if (reason === SessionEndReason.SIGNED_OUT) server.tokens.endAll();
      last()?.push({ case: 'sessionEnded', value: { reason } });
      await env.clock.advance(10 * MINUTE);
      const now = state();
      assert.equal(now.phase === 'ended' && now.reason, expected);
      assert.equal(server.streams.length, 1);
      await client.signIn('mei@clinic.example', 'correct horse');
      await client.connect();
      assert.equal(server.streams.length, 2, 'but can be opened again');
      await client.close();
    }
    for (const [code, status] of [
      ['session.client_too_old', Code.FailedPrecondition],
      ['presence.too_many_endpoints', Code.ResourceExhausted],
    ] as const) {
      const { client, server, state } = await world();
      server.onConnect = () => {
        throw refusal(code, status);
      };
      await assert.rejects(client.connect(), { code });
      const now = state();
      assert.equal(now.phase === 'ended' && now.reason, 'refused');
    }
  });

  it('comes back when the server ends the stream for another reason', async () => {
    for (const reason of [
      SessionEndReason.TOKEN_EXPIRED,
      SessionEndReason.SHUTDOWN,
      SessionEndReason.TOO_SLOW,
      99 as SessionEndReason,
    ]) {
      const { client, server, onlineAgain, last } = await connected();
      last()?.push({ case: 'sessionEnded', value: { reason } });
      await onlineAgain(1_000);
      assert.equal(server.streams.length, 2);
      await client.close();
    }
  });

  it('is renewed with every new access token and lives on', async () => {
    const { env, client, server, kinds, last } = await connected();
    for (let minutes = 0; minutes < 31; minutes++) {
      await env.clock.advance(20_000);
      last()?.push({ case: 'heartbeat', value: {} });
      await env.clock.advance(20_000);
      last()?.push({ case: 'heartbeat', value: {} });
      await env.clock.advance(20_000);
      last()?.push({ case: 'heartbeat', value: {} });
    }
    assert.equal(server.streams.length, 1);
    assert.equal(server.tokens.refreshes, 3);
    assert.equal(kinds('renew').length, 3);
    await client.close();
  });

  it('is not renewed again and again while no new token is to be had', async () => {
    const { env, client, server, kinds, last } = await connected();
    server.tokens.onRefresh = async () => {
      throw refusal('directory.store_unavailable', Code.Unavailable);
    };
    const beats = async (n: number) => {
      for (let i = 0; i < n; i++) {
        await env.clock.advance(20_000);
        last()?.push({ case: 'heartbeat', value: {} });
      }
    };
    await beats(42); // 14 of 15 minutes
    assert.equal(kinds('renew').length, 0);
    assert.ok(server.tokens.refreshes > 5 && server.tokens.refreshes < 60, String(server.tokens.refreshes));
    server.tokens.onRefresh = async () => undefined;
    await beats(2);
    assert.equal(kinds('renew').length, 1);
    assert.equal(server.streams.length, 1);
    await client.close();
  });

  it('gets a fresh token when the server does not take the one it has', async () => {
    const { env, client, server, state, last } = await connected();
    server.tokens.revokeAccess();
    last()?.cut();
    await env.clock.advance(2_000);
    assert.equal(state().phase, 'online');
    assert.equal(server.tokens.refreshes, 1);
    await client.close();
  });

  it('ends as signed out when the sign-in is over', async () => {
    const { env, client, server, state, last } = await connected();
    server.tokens.endAll();
    last()?.cut();
    await env.clock.advance(2_000);
    const now = state();
    assert.equal(now.phase === 'ended' && now.reason, 'signed-out');
    await assert.rejects(client.connect(), { code: 'client.signed_out' });
  });

  it('goes on with the new sign-in when another tab of the same person changes the password', async () => {
    const tokens = memoryTokenStore();
    const { env, client, server, state, last } = await connected({ tokens });
    const tab = createParleyClient({ baseUrl: 'http://parley.example', fetch: server.fetch, environment: env, tokens });
    let answer = () => undefined as void;
    server.tokens.onChanged = () => new Promise(resolve => (answer = resolve));
    const changed = tab.changePassword('correct horse', 'a long new password');
    await settle(env);
    // the old sign-in has ended on the server, and the other tab does not have the new one yet
    last()?.push({ case: 'sessionEnded', value: { reason: SessionEndReason.SIGNED_OUT } });
    await settle(env);
    answer();
    await changed;
    await env.clock.advance(1_000);
    assert.equal(state().phase, 'online');
    assert.equal(server.streams.length, 2);
    assert.equal(server.tokens.refreshes, 0);
    await client.close();
  });

  it('tells the server that it ends on purpose', async () => {
    const { client, state, kinds } = await connected();
    await client.close();
    assert.equal(kinds('disconnect').length, 1);
    const now = state();
    assert.equal(now.phase === 'ended' && now.reason, 'closed');
  });

  it('stops trying when the caller of connect gives up', async () => {
    const { env, client, server, state } = await world();
    server.down = true;
    const stop = new AbortController();
    const online = client.connect({ signal: stop.signal });
    await settle(env);
    stop.abort(new Error('enough'));
    await assert.rejects(online, { message: 'enough' });
    assert.equal(state().phase, 'ended');
    assert.equal(env.clock.pending, 0);
  });

  it('does not open without a sign-in', async () => {
    const { env, server } = await world();
    const nobody = createParleyClient({
      baseUrl: 'http://parley.example',
      fetch: server.fetch,
      environment: env,
      tokens: memoryTokenStore(),
    });
    await assert.rejects(nobody.connect(), { code: 'client.signed_out' });
    assert.equal(server.streams.length, 0);
  });
});

describe('watching', () => {
  it('is told to the stream and remembered over reconnects', async () => {
    const { env, client, server, kinds, last } = await world();
    await client.watch(['ana']);
    await client.connect();
    assert.deepEqual(last()?.request.watchPersonIds, ['ana']);
    await client.watch(['ben', 'ana', 'ben']);
    await client.unwatch(['ana']);
    assert.deepEqual(
      kinds('watch')
        .map(c => c.request as { addPersonIds: string[]; removePersonIds: string[] })
        .map(r => [r.addPersonIds, r.removePersonIds]),
      [
        [['ben'], []],
        [[], ['ana']],
      ],
    );
    last()?.cut();
    await env.clock.advance(1_000);
    assert.equal(server.streams.length, 2);
    assert.deepEqual(last()?.request.watchPersonIds, ['ben']);
    await client.close();
  });

  it('shows presence as it comes, and nothing while the stream is down', async () => {
    const { env, client, server, last } = await connected();
    await client.watch(['ana']);
    const shown = () => client.presence.of('ana').getSnapshot().availability;
    last()?.push({ case: 'presence', value: { personId: 'ana', availability: 3500, revision: 7n } });
    await settle(env);
    assert.equal(shown(), 3500);
    server.down = true;
    last()?.cut();
    await settle(env);
    assert.equal(shown(), 0);
    server.down = false;
    await env.clock.advance(1_000);
    last()?.push({ case: 'presence', value: { personId: 'ana', availability: 6500, revision: 7n } });
    await settle(env);
    assert.equal(shown(), 6500);
    await client.unwatch(['ana']);
    assert.equal(shown(), 0);
    await client.close();
  });

  it('is repeated under the same id until the stream confirms it, for the bus may lose a command', async () => {
    const { env, client, server, kinds } = await connected();
    server.forwardsCommands = false;
    const watched = client.watch(['ana']);
    await env.clock.advance(4_000);
    assert.equal(kinds('watch').length, 2);
    server.forwardsCommands = true;
    await env.clock.advance(3_000);
    await watched;
    const ids = new Set(kinds('watch').map(c => (c.request as { commandId: string }).commandId));
    assert.equal(ids.size, 1);
    assert.equal(kinds('watch').length, 3);
    await client.close();
  });

  it('is refused with the code of the server, and what was refused is not asked for again', async () => {
    const { env, client, server, last } = await connected();
    server.onCommand = () => 'session.too_many_watches';
    await assert.rejects(client.watch(['ana']), { code: 'session.too_many_watches' });
    last()?.cut();
    await env.clock.advance(1_000);
    assert.deepEqual(last()?.request.watchPersonIds, []);
    await assert.rejects(client.watch(Array.from({ length: 1_001 }, (_, i) => `p${i}`)), {
      code: 'session.too_many_watches',
      field: 'add_person_ids',
    });
    await client.close();
  });

  it('asked for while the stream is being opened is not lost', async () => {
    const { env, client, server, kinds } = await world();
    await client.watch(['old']);
    let meanwhile: Promise<unknown> | undefined;
    server.onConnect = () => {
      meanwhile ??= Promise.all([
        client.watch(['ana']),
        client.unwatch(['old']),
        client.reportActivity(MachineState.AWAY),
      ]);
    };
    await client.connect();
    await meanwhile;
    await settle(env);
    const request = kinds('watch')[0]?.request as { addPersonIds: string[]; removePersonIds: string[] };
    assert.deepEqual([request.addPersonIds, request.removePersonIds], [['ana'], ['old']]);
    const activity = kinds('activity')[0]?.request as { machineState: number } | undefined;
    assert.equal(activity?.machineState, MachineState.AWAY);
    await client.close();
  });
});
