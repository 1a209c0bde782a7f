import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, createFileRegistry, type DescService, type MessageInitShape, setExtension } from '@bufbuild/protobuf';
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodOptionsSchema,
} from '@bufbuild/protobuf/wkt';
import { AccessSchema, Audience, access, Role } from '@parley/contracts';
import { DirectoryInternalService } from '@parley/contracts/directory/v1/internal';
import { ImService } from '@parley/contracts/im/v1/im';
import { ManualClock } from '@parley/testkit';
import { createClient } from './channel.ts';
import { createCallContext } from './context.ts';
import type { ParleyError } from './errors.ts';
import { createInProcessChannel } from './in-process.ts';
import { aborted, createBench, gate, personPrincipal, testErrors } from './testing/harness.ts';

/** A service made for the test, with one method that has this access option. */
function serviceWith(
  option: MessageInitShape<typeof AccessSchema> | undefined,
  more: { clientStreaming?: boolean } = {},
): DescService {
  const options = create(MethodOptionsSchema);
  if (option) setExtension(options, access, create(AccessSchema, option));
  const file: FileDescriptorProto = create(FileDescriptorProtoSchema, {
    name: 'test.proto',
    package: 'test.v1',
    syntax: 'proto3',
    messageType: [{ name: 'M' }],
    service: [
      { name: 'S', method: [{ name: 'Do', inputType: '.test.v1.M', outputType: '.test.v1.M', options, ...more }] },
    ],
  });
  const set = create(FileDescriptorSetSchema, { file: [file] });
  return createFileRegistry(set).getService('test.v1.S') as DescService;
}

describe('the registry', () => {
  const handler = { do: async () => ({}) };
  for (const [what, desc, impl, expected] of [
    ['without the access option', serviceWith(undefined), handler, /access option/],
    ['without an audience', serviceWith({ audience: Audience.UNSPECIFIED }), handler, /access option/],
    ['for services without their names', serviceWith({ audience: Audience.SERVICE }), handler, /callers/],
    [
      'that is public but asks for roles',
      serviceWith({ audience: Audience.PUBLIC, roles: [Role.VIEWER] }),
      handler,
      /roles/,
    ],
    ['that streams upwards', serviceWith({ audience: Audience.PUBLIC }, { clientStreaming: true }), handler, /upwards/],
    ['without a handler', serviceWith({ audience: Audience.PUBLIC }), {}, /no handler/],
  ] as const) {
    it(`refuses a method ${what}`, () => {
      assert.throws(() => createBench({}).registry.mount([{ desc, impl: impl as never }]), expected);
    });
  }

  it('refuses a method twice, and then mounts nothing of the service', () => {
    const { registry } = createBench({});
    const desc = serviceWith({ audience: Audience.PUBLIC });
    registry.mount([{ desc, impl: handler as never }]);
    assert.throws(() => registry.mount([{ desc, impl: handler as never }]), /already/);
    assert.equal(registry.services.filter(s => s.typeName === 'test.v1.S').length, 1);
  });

  it('takes limits from the contract', () => {
    const { registry } = createBench({});
    assert.equal(registry.find('/parley.im.v1.ImService/SendMessage')?.maxRequestBytes, 65_536);
    assert.equal(registry.find('/parley.directory.v1.AuthService/SignIn')?.maxRequestBytes, 4096);
  });

  it('gives every call an id of its own', () => {
    const { registry } = createBench({});
    assert.equal(new Set(Array.from({ length: 1000 }, () => registry.nextRequestId())).size, 1000);
  });

  it('refuses calls when too many are under way, and takes them again', async () => {
    const done = gate<object>();
    const bench = createBench({ im: { sendMessage: () => done.promise } }, { limits: { maxInFlight: 2 } });
    const im = createClient(ImService, createInProcessChannel(bench.registry, { as: 'session' }));
    const context = createCallContext({ principal: personPrincipal('person:p1') });
    const calls = [1, 2].map(() => im.sendMessage({}, { context }));
    const overloaded = (error: ParleyError) => error.code === 'rpc.overloaded' && error.retryAfterMs === 1000;
    await assert.rejects(im.sendMessage({}, { context }), overloaded);
    done.resolve({});
    await Promise.all(calls);
    await im.sendMessage({}, { context });
  });

  it('writes one line for a refusal, at a level nobody reads by default, and none for what went well', async () => {
    const bench = createBench({
      im: { sendMessage: () => Promise.reject(testErrors('test.refused', { field: 'a' })), sync: async () => ({}) },
    });
    const im = createClient(ImService, createInProcessChannel(bench.registry, { as: 'session' }));
    const context = createCallContext({ principal: personPrincipal('person:p1'), requestId: 'r-7' });
    await im.sync({}, { context });
    await assert.rejects(im.sendMessage({ content: { text: 'nobody may read this' } }, { context }));
    assert.equal(bench.lines.length, 1);
    const { level, event, rpc, code, requestId, principal, field } = bench.lines[0] as Record<string, unknown>;
    assert.deepEqual(
      [level, event, rpc, code, requestId, principal, field],
      ['debug', 'rpc.refused', 'parley.im.v1.ImService/SendMessage', 'test.refused', 'r-7', 'p1', 'a'],
    );
    assert.ok(!JSON.stringify(bench.lines).includes('nobody may read'));
  });
});

describe('the channel inside a process', () => {
  function setUp(handlers: Parameters<typeof createBench>[0], as = 'session') {
    const clock = new ManualClock();
    const bench = createBench(handlers, { clock });
    return { clock, bench, channel: createInProcessChannel(bench.registry, { as, clock }) };
  }

  it('calls as its service, and only what that may call', async () => {
    let caller: unknown;
    const handlers = {
      internal: {
        getPrincipals: async (_: unknown, context: { principal: unknown }) => {
          caller = context.principal;
          return {};
        },
      },
    };
    await createClient(DirectoryInternalService, setUp(handlers, 'im').channel).getPrincipals({});
    assert.deepEqual(caller, { kind: 'service', name: 'im' });
    const stranger = createClient(DirectoryInternalService, setUp(handlers, 'stranger').channel);
    await assert.rejects(stranger.getPrincipals({}), (error: ParleyError) => error.code === 'rpc.permission_denied');
  });

  it('passes person, token, request id and trace on', async () => {
    let seen: unknown[] = [];
    const t = setUp({
      internal: {
        getPrincipals: async (_, context) => {
          const { principal, token, requestId, traceparent } = context;
          seen = [principal.kind === 'service' && principal.person?.id, token, requestId, traceparent];
          return {};
        },
      },
    });
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const context = createCallContext({
      principal: personPrincipal('person:p1'),
      token: 't',
      requestId: 'r',
      traceparent,
    });
    await createClient(DirectoryInternalService, t.channel).getPrincipals({}, { context });
    assert.deepEqual(seen, ['p1', 't', 'r', traceparent]);
  });

  it('ends calls after 10 seconds, or with what is left of the outer call, whichever comes first', async () => {
    for (const [outerMs, endMs] of [
      [undefined, 10_000],
      [3_000, 3_000],
      [60_000, 10_000],
    ] as const) {
      const t = setUp({ im: { sendMessage: () => new Promise(() => {}) } });
      const deadlineMs = outerMs === undefined ? undefined : t.clock.monotonic() + outerMs;
      const context = createCallContext({ principal: personPrincipal('person:p1'), deadlineMs });
      let code = '';
      const call = createClient(ImService, t.channel)
        .sendMessage({}, { context })
        .catch((e: ParleyError) => void (code = e.code));
      await t.clock.advance(endMs - 1);
      assert.equal(code, '');
      await t.clock.advance(1);
      await call;
      assert.equal(code, 'rpc.deadline_exceeded');
    }
  });

  it('does not start a call for somebody who has gone', async () => {
    const t = setUp({ im: { sendMessage: async () => assert.fail('called') } });
    const signal = AbortSignal.abort();
    const context = createCallContext({ principal: personPrincipal('person:p1'), signal });
    const gone = (error: ParleyError) => error.code === 'rpc.cancelled';
    await assert.rejects(createClient(ImService, t.channel).sendMessage({}, { context }), gone);
    await assert.rejects(createClient(ImService, t.channel).sendMessage({}, { signal }), gone);
  });

  it('ends inner calls with the outer one', async () => {
    const inner = gate<unknown>();
    const started = gate();
    const t = setUp({
      im: {
        sendMessage: (_, context) =>
          createClient(DirectoryInternalService, t.channel)
            .getPrincipals({}, { context })
            .then(() => ({})),
      },
      internal: {
        getPrincipals: async (_, context) => {
          started.resolve();
          inner.resolve(await aborted(context.signal));
          return {};
        },
      },
    });
    const controller = new AbortController();
    const context = createCallContext({ principal: personPrincipal('person:p1') });
    const call = createClient(ImService, t.channel).sendMessage({}, { context, signal: controller.signal });
    const refused = assert.rejects(call, (error: ParleyError) => error.code === 'rpc.cancelled');
    await started.promise;
    controller.abort();
    await refused;
    assert.equal(((await inner.promise) as ParleyError).code, 'rpc.cancelled');
  });

  it('leaves no listener behind on the signals of its callers', async () => {
    const t = setUp({ im: { sendMessage: async () => ({}) } });
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = ((...args: Parameters<typeof add>) => (listeners++, add(...args))) as typeof add;
    signal.removeEventListener = ((...args: Parameters<typeof remove>) => (
      listeners--, remove(...args)
    )) as typeof remove;
    const context = createCallContext({ principal: personPrincipal('person:p1'), signal });
    await createClient(ImService, t.channel).sendMessage({}, { context });
    assert.equal(listeners, 0);
    assert.equal(t.clock.pending, 0);
  });
});
