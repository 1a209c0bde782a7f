/** What calls between services promise, with real servers in this process. */
import assert from 'node:assert/strict';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { DirectoryInternalService } from '@parley/contracts/directory/v1/internal';
import { createMetrics } from '@parley/runtime';
import { ManualClock, until } from '@parley/testkit';
import { createClient } from './channel.ts';
import { createChannelEvents } from './channel-events.ts';
import { type CallContext, createCallContext } from './context.ts';
import { ParleyError } from './errors.ts';
import { createGrpcChannel, type GrpcChannelOptions } from './grpc-channel.ts';
import { createGrpcServer, type GrpcServer, type GrpcServerOptions } from './grpc-server.ts';
import { rpcErrors } from './rpc-errors.ts';
import { createBench, gate, type Handlers } from './testing/harness.ts';

type GetPrincipals = NonNullable<NonNullable<Handlers['internal']>['getPrincipals']>;

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** A replica: what it does with calls can be changed, and they are counted. */
async function replica(handler: GetPrincipals = async () => ({}), options: Partial<GrpcServerOptions> = {}) {
  const state = { handler, calls: 0, onSignOut: Promise.resolve() };
  const getPrincipals: GetPrincipals = (request, context) => {
    state.calls++;
    return state.handler(request, context);
  };
  const signIn = async () => {
    state.calls++;
    throw rpcErrors('rpc.overloaded');
  };
  const signOut = async () => {
    state.calls++;
    await state.onSignOut;
    return {};
  };
  const bench = createBench({ internal: { getPrincipals }, auth: { signIn, signOut } });
  const server: GrpcServer = createGrpcServer({ ...bench, host: '127.0.0.1', port: 0, stopTimeoutMs: 100, ...options });
  await server.start();
  open.push({ close: () => server.stop() });
  return Object.assign(state, { server, address: `127.0.0.1:${server.port}` });
}

/** A channel to it, and what it counted. */
function caller(target: string | readonly string[], options: Partial<GrpcChannelOptions> = {}) {
  const metrics = createMetrics({ defaults: false });
  const { logger, lines } = createBench({});
  const events = createChannelEvents({ metrics, logger })('directory');
  const channel = createGrpcChannel({
    target,
    serviceTokens: () => 'service:session',
    events,
    backoffMs: 1,
    ...options,
  });
  open.push(channel);
  const counted = async (name: string) => {
    const found = (await metrics.render()).split('\n').filter(line => line.startsWith(`${name}{`));
    return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  };
  return { channel, directory: createClient(DirectoryInternalService, channel), counted, lines };
}

const hang: GetPrincipals = () => new Promise(() => {});
const refuse = (code: string) => (error: unknown) => error instanceof ParleyError && error.code === code;
const times = <T>(n: number, call: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: n }, (_, i) => call(i)));

describe('the deadline of a call between services', () => {
  it('is what is left of the one it is made for, at every hop', async () => {
    const seen: number[] = [];
    const last = await replica(async (_, context) => {
      seen.push(context.deadlineMs as number);
      return {};
    });
    const { directory: onward } = caller(last.address);
    const middle = await replica(async (_, context: CallContext) => {
      seen.push(context.deadlineMs as number);
      await new Promise(resolve => setImmediate(resolve));
      await onward.getPrincipals({ ids: ['a'] }, { context });
      await onward.getPrincipals({ ids: ['a'] }, { context, timeoutMs: 60_000 });
      return {};
    });
    const { directory } = caller(middle.address);
    const began = performance.now();
    await directory.getPrincipals({ ids: ['a'] }, { timeoutMs: 5000 });
    assert.equal(seen.length, 3);
    // Deadlines travel as durations: each hop adds the time it took to get there. Left alone, the onward calls would
    // have had 10 and 60 seconds.
    for (const deadlineMs of seen) assert.ok(Math.abs(deadlineMs - began - 5000) < 3000, `${deadlineMs - began}`);
  });

  it('holds for all repetitions together', async () => {
    const one = await replica(() => Promise.reject(rpcErrors('rpc.overloaded', { retryAfterMs: 60_000 })));
    const { directory } = caller(one.address);
    await assert.rejects(directory.getPrincipals({}, { timeoutMs: 500 }), refuse('rpc.overloaded'));
    assert.equal(one.calls, 1, 'the server asks for more time than there is');
  });

  it('that has passed makes no call', async () => {
    const one = await replica();
    const { directory } = caller(one.address);
    const context = createCallContext({ deadlineMs: performance.now() - 1 });
    await assert.rejects(directory.getPrincipals({}, { context }), refuse('rpc.deadline_exceeded'));
    assert.equal(one.calls, 0);
  });
});

describe('a call that nobody answered', () => {
  it('is made again with another replica when the contract calls it idempotent', async () => {
    const bad = await replica(() => Promise.reject(rpcErrors('rpc.overloaded')));
    const good = await replica();
    const { directory, counted, channel } = caller([bad.address, good.address]);
    await channel.ready(2000);
    await times(10, () => directory.getPrincipals({}));
    assert.equal(good.calls, 10);
    assert.ok(bad.calls > 0 && bad.calls <= 10);
    assert.equal(await counted('parley_rpc_client_retries_total'), bad.calls);
  });

  it('is not made again when the contract does not', async () => {
    const bad = await replica();
    const { channel } = caller([bad.address, bad.address]);
    await assert.rejects(createClient(AuthService, channel).signIn({}), refuse('rpc.overloaded'));
    assert.equal(bad.calls, 1);
  });

  it('is not made again when it was answered, whatever the answer', async () => {
    for (const code of ['rpc.permission_denied', 'rpc.unknown', 'rpc.internal', 'rpc.deadline_exceeded'] as const) {
      const one = await replica(() => Promise.reject(rpcErrors(code)));
      const { directory } = caller(one.address);
      await assert.rejects(directory.getPrincipals({}), refuse(code));
      assert.equal(one.calls, 1, code);
    }
  });

  it('is made again only as long as the budget lasts', async () => {
    const bad = await replica(() => Promise.reject(rpcErrors('rpc.overloaded')));
    const { directory, counted } = caller(bad.address, { circuitFailures: 1_000_000 });
    await times(200, () => directory.getPrincipals({}).catch(() => {}));
    // 200 first tries, 20 repetitions at once, and one for every ten calls.
    assert.ok(bad.calls >= 220 && bad.calls <= 240, `${bad.calls} calls`);
    assert.ok(
      (await counted('parley_rpc_client_retries_total')) > bad.calls - 200,
      'what the budget refused counts too',
    );
  });

  it('ends when its caller gives up during the pause', async () => {
    const bad = await replica(() => Promise.reject(rpcErrors('rpc.overloaded')));
    const { directory } = caller(bad.address, { backoffMs: 5000 });
    const controller = new AbortController();
    const call = directory.getPrincipals({}, { signal: controller.signal });
    await until('the first try', () => bad.calls === 1);
    controller.abort();
    await assert.rejects(call, refuse('rpc.cancelled'));
    assert.equal(bad.calls, 1);
  });

  it('does not fail when a replica goes away under traffic', async () => {
    const [one, two] = [await replica(), await replica()];
    const { directory, channel } = caller([one.address, two.address]);
    await channel.ready(2000);
    let stopped: Promise<void> | undefined;
    for (let i = 0; i < 60; i++) {
      if (i === 20) stopped = one.server.stop();
      await times(5, () => directory.getPrincipals({}));
    }
    await stopped;
    assert.equal(one.calls + two.calls >= 300, true);
    assert.ok(two.calls > 200);
  });
});

describe('a call that only reads and has no answer for long', () => {
  it('is made with another replica as well, and the first answer counts', async () => {
    const [slow, fine] = [await replica(hang), await replica()];
    // long enough for a busy machine: the one that answers must not be overtaken
    const { directory, channel, counted } = caller([slow.address, fine.address], { hedgeMs: 200 });
    await channel.ready(2000);
    // none of them waits for its deadline of ten seconds
    for (let i = 0; i < 10; i++) await directory.getPrincipals({});
    assert.ok(slow.calls > 0);
    assert.equal(fine.calls, 10);
    assert.equal(await counted('parley_rpc_client_hedges_total'), slow.calls);
    assert.equal(await counted('parley_rpc_client_in_flight'), 0);
  });

  it('gives the one that was overtaken up, which counts against it', async () => {
    const gaveUp = gate();
    const hanging: GetPrincipals = (_, { signal }) => {
      signal.addEventListener('abort', () => gaveUp.resolve(), { once: true });
      return hang({} as never, {} as never);
    };
    const [slow, fine] = [await replica(hanging), await replica()];
    const options = { hedgeMs: 20, circuitFailures: 1, circuitOpenMs: 60_000 };
    const { directory, channel, counted } = caller([slow.address, fine.address], options);
    await channel.ready(2000);
    await until('the slow one has a call', async () => {
      await directory.getPrincipals({});
      return slow.calls > 0;
    });
    await gaveUp.promise;
    assert.equal(await counted('parley_rpc_client_circuits_open'), 1);
    assert.equal(fine.calls > 0, true);
  });

  it('is made with one that did not answer of late, when there is nobody else', async () => {
    const [one, two] = [await replica(hang), await replica()];
    const options = { hedgeMs: 20, circuitFailures: 1, circuitOpenMs: 60_000 };
    const { directory, channel, counted } = caller([one.address, two.address], options);
    await channel.ready(2000);
    await until('its circuit is open', async () => {
      await directory.getPrincipals({});
      return (await counted('parley_rpc_client_circuits_open')) === 1;
    });
    // now the other hangs, and it is well again
    [one.handler, two.handler] = [two.handler, one.handler];
    await directory.getPrincipals({});
    assert.equal(await counted('parley_rpc_client_circuits_open'), 1);
    const before = one.calls;
    await directory.getPrincipals({});
    assert.equal(one.calls, before + 1, 'its circuit is closed, that of the other is open');
  });

  it('says nothing against those who are all as slow', async () => {
    const slow: GetPrincipals = async () => {
      await new Promise(resolve => setTimeout(resolve, 100));
      return {};
    };
    const [one, two] = [await replica(slow), await replica(slow)];
    const options = { hedgeMs: 20, slowMs: 10, circuitFailures: 1 };
    const { directory, channel, counted, lines } = caller([one.address, two.address], options);
    await channel.ready(2000);
    for (let i = 0; i < 5; i++) await directory.getPrincipals({});
    assert.equal(await counted('parley_rpc_client_hedges_total'), 5);
    assert.deepEqual(
      lines.filter(line => line.event.startsWith('rpc.circuit')),
      [],
    );
  });

  it('is made with one that is connected only later, too', async () => {
    const slow = await replica(hang);
    const fine = await replica();
    const { port } = fine.server;
    await fine.server.stop();
    const { directory, channel } = caller([slow.address, fine.address], { hedgeMs: 20, maxReconnectMs: 100 });
    await channel.ready(2000);
    const call = directory.getPrincipals({});
    await until('the slow one has it', () => slow.calls === 1);
    const bench = createBench({ internal: { getPrincipals: async () => ({}) } });
    const again = createGrpcServer({ ...bench, host: '127.0.0.1', port, stopTimeoutMs: 100 });
    await again.start();
    open.push({ close: () => again.stop() });
    await call;
  });

  it('takes an answer of the first rather than a defect of the second', async () => {
    const answer = gate();
    const late = async () => {
      await answer.promise;
      return {};
    };
    const [one, two] = [await replica(late), await replica(late)];
    const { directory, channel } = caller([one.address, two.address], { hedgeMs: 20, attempts: 2 });
    await channel.ready(2000);
    const call = directory.getPrincipals({});
    await until('one is asked', () => one.calls + two.calls > 0);
    const second = one.calls > 0 ? two : one;
    second.handler = () => Promise.reject(new Error('a defect'));
    await until('the second is asked', () => second.calls === 1);
    answer.resolve();
    await call;
  });

  it('takes a late answer of the first when the second cannot be reached', async () => {
    const asked = gate();
    const answer = gate();
    const late = async () => {
      asked.resolve();
      await answer.promise;
      return {};
    };
    const [one, two] = [await replica(late), await replica(late)];
    const { directory, channel } = caller([one.address, two.address], { hedgeMs: 20, attempts: 2 });
    await channel.ready(2000);
    const call = directory.getPrincipals({});
    await asked.promise;
    const [first, second] = one.calls > 0 ? [one, two] : [two, one];
    second.handler = () => Promise.reject(rpcErrors('rpc.overloaded'));
    await until('the second is asked', () => second.calls === 1);
    answer.resolve();
    await call;
    assert.deepEqual([first.calls, second.calls], [1, 1]);
  });

  it('ends with a refusal that the second makes', async () => {
    const refusing: GetPrincipals = () => Promise.reject(rpcErrors('rpc.permission_denied'));
    const [slow, fine] = [await replica(hang), await replica(refusing)];
    const { directory, channel } = caller([slow.address, fine.address], { hedgeMs: 20 });
    await channel.ready(2000);
    for (let i = 0; i < 4; i++) await assert.rejects(directory.getPrincipals({}), refuse('rpc.permission_denied'));
    assert.ok(slow.calls > 0);
  });

  it('waits for its deadline when all hang, and asks no more than two of them', async () => {
    const replicas = [await replica(hang), await replica(hang), await replica(hang)];
    const { directory, channel } = caller(
      replicas.map(r => r.address),
      { hedgeMs: 20 },
    );
    await channel.ready(2000);
    await assert.rejects(directory.getPrincipals({}, { timeoutMs: 300 }), refuse('rpc.deadline_exceeded'));
    assert.equal(
      replicas.reduce((sum, { calls }) => sum + calls, 0),
      2,
    );
  });

  it('is made once where the contract does not say that it only reads, and where there is nobody else', async () => {
    const [one, two] = [await replica(hang), await replica(hang)];
    const held = gate();
    one.onSignOut = two.onSignOut = held.promise;
    const { channel } = caller([one.address, two.address], { hedgeMs: 10 });
    await channel.ready(2000);
    const call = createClient(AuthService, channel).signOut({});
    await until('it is made', () => one.calls + two.calls === 1);
    const alone = caller(one.address, { hedgeMs: 10 });
    await assert.rejects(alone.directory.getPrincipals({}, { timeoutMs: 200 }), refuse('rpc.deadline_exceeded'));
    assert.equal(one.calls + two.calls, 2);
    held.resolve();
    await call;
  });
});

describe('calls to several replicas', () => {
  it('are shared evenly', async () => {
    const replicas = [await replica(), await replica(), await replica()];
    const { directory, channel } = caller(replicas.map(r => r.address));
    await channel.ready(2000);
    await until('all three are connected', async () => {
      await directory.getPrincipals({});
      return replicas.every(r => r.calls > 0);
    });
    const before = replicas.map(r => r.calls);
    for (let i = 0; i < 300; i++) await directory.getPrincipals({});
    for (const [i, r] of replicas.entries()) assert.equal(r.calls - (before[i] as number), 100);
  });

  it('go less often to one that is slow', async () => {
    const waiting: (() => void)[] = [];
    const slow = await replica(() => new Promise(resolve => waiting.push(() => resolve({}))));
    const fast = await replica();
    const { directory, channel } = caller([slow.address, fast.address]);
    await channel.ready(2000);
    const calls = times(4, () => directory.getPrincipals({}));
    await until('the slow one has some', () => waiting.length > 0);
    for (let i = 0; i < 100; i++) await directory.getPrincipals({});
    assert.ok(slow.calls < 5, `${slow.calls} calls to the slow one`);
    for (const answer of waiting) answer();
    await calls;
  });

  // Only on Linux is all of 127.0.0.0/8 there.
  const anyLoopback = { skip: process.platform !== 'linux' };
  it(
    'follow the name: new replicas get calls, those that are gone get none and finish what they have',
    anyLoopback,
    async () => {
      const [one, two] = [await replica(), await replica()];
      const port = (r: typeof one) => r.server.port;
      // Two addresses of the loopback network, so that one port is enough to tell replicas apart.
      const found = { one: ['127.0.0.1'], both: ['127.0.0.1', '127.0.0.2'] };
      const second = await forward('127.0.0.2', port(one), two.server.port);
      let addresses = found.one;
      const { directory, counted } = caller(`directory.example:${port(one)}`, {
        resolve: async host => {
          assert.equal(host, 'directory.example');
          return addresses;
        },
        resolveMs: 10,
      });
      await directory.getPrincipals({});
      assert.equal(one.calls, 1);
      addresses = found.both;
      await until('the new one has calls', async () => {
        await directory.getPrincipals({});
        return two.calls > 0;
      });
      assert.equal(await counted('parley_rpc_client_addresses'), 2);
      const held = gate();
      two.handler = async () => {
        await held.promise;
        return {};
      };
      const calls = times(2, () => directory.getPrincipals({}));
      const callsOfTwo = two.calls;
      await until('one call is held', () => two.calls > callsOfTwo);
      addresses = found.one;
      await until('one is left', async () => (await counted('parley_rpc_client_addresses')) === 1);
      const before = two.calls;
      for (let i = 0; i < 10; i++) await directory.getPrincipals({});
      assert.equal(two.calls, before);
      held.resolve();
      await calls;
      assert.ok(second.connections() > 0);
    },
  );

  it('say nothing of the circuit of a replica that has left', anyLoopback, async () => {
    const [one, two] = [await replica(), await replica(hang)];
    const second = await forward('127.0.0.2', one.server.port, two.server.port);
    let addresses = ['127.0.0.1', '127.0.0.2'];
    const options = { resolve: async () => addresses, resolveMs: 10, slowMs: 1, circuitFailures: 1 };
    const { directory, counted } = caller(`directory.example:${one.server.port}`, options);
    await until('the hanging one is connected', async () => {
      await directory.getPrincipals({}, { timeoutMs: 20 }).catch(() => {});
      return second.connections() > 0 && (await counted('parley_rpc_client_circuits_open')) === 1;
    });
    two.handler = async () => ({});
    await until('it is well', async () => {
      await directory.getPrincipals({});
      return (await counted('parley_rpc_client_circuits_open')) === 0;
    });
    two.handler = hang;
    const calls = times(4, () => directory.getPrincipals({}, { timeoutMs: 500 }).catch(() => {}));
    const before = two.calls;
    await until('it hangs', () => two.calls > before);
    addresses = ['127.0.0.1'];
    await until('it has left', async () => (await counted('parley_rpc_client_addresses')) === 1);
    await calls;
    assert.equal(await counted('parley_rpc_client_circuits_open'), 0);
  });

  it('outlive a name server that is silent, and wait for it no longer than they may', async () => {
    const one = await replica();
    const { port } = one.server;
    const first = gate<readonly string[]>();
    let answer = first.promise;
    const { directory, channel } = caller(`directory.example:${port}`, { resolve: () => answer, resolveMs: 5 });
    await assert.rejects(directory.getPrincipals({}, { timeoutMs: 50 }), refuse('rpc.deadline_exceeded'));
    const controller = new AbortController();
    const given = directory.getPrincipals({}, { signal: controller.signal });
    controller.abort();
    await assert.rejects(given, refuse('rpc.cancelled'));
    answer = Promise.reject(new Error('ENOTFOUND'));
    answer.catch(() => {});
    first.resolve(['127.0.0.1']);
    await channel.ready(2000);
    for (let i = 0; i < 20; i++) await directory.getPrincipals({});
    assert.equal(one.calls, 20);
  });

  it('are refused when the name leads nowhere', async () => {
    const { directory } = caller('nowhere.example:1', { resolve: () => Promise.reject(new Error('ENOTFOUND')) });
    await assert.rejects(directory.getPrincipals({}, { timeoutMs: 2000 }), refuse('rpc.unavailable'));
  });

  it('move to new connections when old ones have reached their age, and none is lost', async () => {
    const one = await replica(undefined, { maxConnectionAgeMs: 50 });
    const between = await forward('127.0.0.1', 0, one.server.port);
    const { directory } = caller(`127.0.0.1:${between.port}`);
    await until('three connections', async () => {
      await times(5, () => directory.getPrincipals({}));
      return between.connections() >= 3;
    });
  });
});

describe('a service that is slow or gone', () => {
  it('holds only so many calls, and nobody else is held up', async () => {
    const held: (() => void)[] = [];
    const slow = await replica(() => new Promise(resolve => held.push(() => resolve({}))));
    const fine = await replica();
    const { directory, counted } = caller(slow.address, { maxInFlight: 3 });
    const other = caller(fine.address, { maxInFlight: 3 });
    const calls = times(3, () => directory.getPrincipals({}));
    await until('three calls wait', () => held.length === 3);
    await assert.rejects(directory.getPrincipals({}), refuse('rpc.busy'));
    assert.equal(await counted('parley_rpc_client_in_flight'), 3);
    await other.directory.getPrincipals({});
    for (const answer of held.splice(0)) answer();
    await calls;
    const again = directory.getPrincipals({});
    await until('it takes calls again', () => held.length === 1);
    held.pop()?.();
    await again;
    assert.equal(slow.calls, 4);
    assert.equal(await counted('parley_rpc_client_in_flight'), 0);
    assert.equal(await counted('parley_rpc_client_refused_total'), 1);
  });

  it('gets no calls after a while, is tried again, and gets them back', async () => {
    const one = await replica(hang);
    const clock = new ManualClock();
    const options = { clock, slowMs: 1, circuitFailures: 5, circuitOpenMs: 150 };
    const { directory, counted, lines } = caller(one.address, options);
    const late = () => assert.rejects(directory.getPrincipals({}, { timeoutMs: 30 }), refuse('rpc.deadline_exceeded'));
    await times(5, late);
    const before = one.calls;
    await assert.rejects(directory.getPrincipals({}), refuse('rpc.circuit_open'));
    assert.equal(one.calls, before);
    assert.equal(await counted('parley_rpc_client_circuits_open'), 1);
    await clock.advance(150);
    const trial = late();
    await assert.rejects(directory.getPrincipals({}), refuse('rpc.circuit_open'));
    await trial;
    assert.ok(one.calls <= before + 1, 'one call tries');
    one.handler = async () => ({});
    await clock.advance(299);
    await assert.rejects(directory.getPrincipals({}), refuse('rpc.circuit_open'));
    await clock.advance(1);
    await directory.getPrincipals({});
    await times(10, () => directory.getPrincipals({}));
    assert.equal(await counted('parley_rpc_client_circuits_open'), 0);
    const told = lines.map(line => line.event).filter(event => event.startsWith('rpc.circuit'));
    assert.deepEqual(told, ['rpc.circuit.opened', 'rpc.circuit.closed']);
  });

  it('is not blamed for callers in a hurry, nor for refusals of its own', async () => {
    const one = await replica(hang);
    const { directory } = caller(one.address, { slowMs: 1000, circuitFailures: 3 });
    await times(10, () => directory.getPrincipals({}, { timeoutMs: 20 }).catch(() => {}));
    one.handler = () => Promise.reject(rpcErrors('rpc.unavailable'));
    await times(10, () => directory.getPrincipals({}).catch(() => {}));
    one.handler = async () => ({});
    await directory.getPrincipals({});
  });

  it('has its calls done by the others', async () => {
    const [dead, fine] = [await replica(hang), await replica()];
    const options = { slowMs: 1, circuitFailures: 3, circuitOpenMs: 60_000 };
    const { directory, channel, counted } = caller([dead.address, fine.address], options);
    await channel.ready(2000);
    await until('its circuit is open', async () => {
      await times(4, () => directory.getPrincipals({}, { timeoutMs: 30 }).catch(() => {}));
      return (await counted('parley_rpc_client_circuits_open')) === 1;
    });
    const before = dead.calls;
    for (let i = 0; i < 50; i++) await directory.getPrincipals({});
    assert.equal(dead.calls, before);
  });
});

/** Passes connections on, and counts them. */
async function forward(host: string, port: number, to: number) {
  let count = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer(socket => {
    count++;
    const onward = connect(to, '127.0.0.1');
    for (const one of [socket, onward]) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        socket.destroy();
        onward.destroy();
      });
    }
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>(resolve => {
    server.listen(port, host, resolve);
  });
  open.push({
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  return { port: (server.address() as { port: number }).port, connections: () => count };
}
