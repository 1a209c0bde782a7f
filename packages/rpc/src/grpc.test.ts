import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { DirectoryInternalService } from '@parley/contracts/directory/v1/internal';
import { ImService } from '@parley/contracts/im/v1/im';
import { SessionService } from '@parley/contracts/session/v1/session';
import { systemClock } from '@parley/runtime';
import { createClient } from './channel.ts';
import { type CallContext, createCallContext } from './context.ts';
import type { ParleyError } from './errors.ts';
import { createGrpcChannel } from './grpc-channel.ts';
import { createGrpcServer, type GrpcServer, type GrpcServerOptions } from './grpc-server.ts';
import { type Bench, createBench, gate, type Handlers, personPrincipal } from './testing/harness.ts';

const identity = (bytes: Buffer) => bytes;

async function using(
  handlers: Handlers,
  test: (t: { server: GrpcServer; bench: Bench; raw: Client }) => Promise<void>,
  options: Partial<GrpcServerOptions> = {},
): Promise<void> {
  const bench = createBench(handlers);
  const server = createGrpcServer({ ...bench, host: '127.0.0.1', port: 0, ...options });
  await server.start();
  const raw = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
  try {
    await test({ server, bench, raw });
  } finally {
    raw.close();
    await server.stop();
  }
}

function metadata(token?: string): Metadata {
  const made = new Metadata();
  if (token !== undefined) made.set('authorization', `Bearer ${token}`);
  return made;
}

function unary(raw: Client, path: string, body: Uint8Array, token?: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    raw.makeUnaryRequest(path, identity, identity, Buffer.from(body), metadata(token), (error, answer) =>
      error ? reject(error) : resolve(answer as Buffer),
    );
  });
}

const text = (field: number, value: string) =>
  new BinaryWriter().tag(field, WireType.LengthDelimited).string(value).finish();
const status = (expected: number) => (error: ServiceError) => {
  assert.equal(error.code, expected);
  return true;
};

describe('native gRPC between services', () => {
  it('names the service and forwards person, request id, trace and deadline', async () => {
    let seen: CallContext | undefined;
    const getPrincipals: NonNullable<Handlers['internal']>['getPrincipals'] = async (_, context) => {
      seen = context;
      return {};
    };
    await using({ internal: { getPrincipals } }, async ({ server, bench }) => {
      const channel = createGrpcChannel({
        target: `127.0.0.1:${server.port}`,
        serviceTokens: async () => 'service:im',
      });
      const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
      const deadlineMs = bench.clock.monotonic() + 5000;
      const principal = personPrincipal('person:p1');
      const context = createCallContext({ principal, token: 'person:p1', requestId: 'r-1', traceparent, deadlineMs });
      await createClient(DirectoryInternalService, channel).getPrincipals({}, { context });
      assert.equal(seen?.principal.kind === 'service' && seen.principal.name, 'im');
      assert.equal(seen?.principal.kind === 'service' && seen.principal.person?.id, 'p1');
      assert.deepEqual([seen?.requestId, seen?.traceparent, seen?.token], ['r-1', traceparent, 'person:p1']);
      assert.ok(Math.abs((seen?.deadlineMs as number) - deadlineMs) < 500);
      assert.equal(seen?.peer, '127.0.0.1');
      channel.close();
    });
  });

  it('has the time it was given when the machine that answers is minutes off and knows the right time', async () => {
    const getPrincipals = async (_: unknown, context: CallContext) => {
      const leftMs = (context.deadlineMs as number) - systemClock.monotonic();
      assert.ok(leftMs > 1_000 && leftMs <= 2_000, String(leftMs));
      return {};
    };
    for (const aheadMs of [-300_000, 300_000]) {
      const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
      const test = async ({ server }: { server: GrpcServer }) => {
        const serviceTokens = () => 'service:im';
        const channel = createGrpcChannel({ target: `127.0.0.1:${server.port}`, serviceTokens });
        await createClient(DirectoryInternalService, channel).getPrincipals({}, { timeoutMs: 2_000 });
        channel.close();
      };
      await using({ internal: { getPrincipals } }, test, { clock });
    }
  });

  it('is refused to services that the method does not name, and to people', async () => {
    await using({ internal: { getPrincipals: async () => ({}) } }, async ({ server, raw }) => {
      const channel = createGrpcChannel({
        target: `127.0.0.1:${server.port}`,
        serviceTokens: () => 'service:stranger',
      });
      const call = createClient(DirectoryInternalService, channel).getPrincipals({});
      await assert.rejects(call, (error: ParleyError) => error.code === 'rpc.permission_denied');
      channel.close();
      const path = '/parley.directory.v1.DirectoryInternalService/GetPrincipals';
      await assert.rejects(unary(raw, path, new Uint8Array(), 'person:p1'), status(7));
      await assert.rejects(unary(raw, path, new Uint8Array()), status(16));
    });
  });

  it('refuses requests beyond the limit of the method, or that cannot be read', async () => {
    await using({ im: { sendMessage: async () => ({}) } }, async ({ raw }) => {
      const path = '/parley.im.v1.ImService/SendMessage';
      await unary(raw, path, text(1, 'x'.repeat(65_000)), 'person:p1');
      await assert.rejects(unary(raw, path, text(1, 'x'.repeat(65_536)), 'person:p1'), status(8));
      await assert.rejects(unary(raw, path, new Uint8Array([0x0a, 0xff]), 'person:p1'), status(3));
    });
  });

  it('reports services that cannot be reached as unavailable, and finds them when they come back', async () => {
    const bench = createBench({ im: { sendMessage: async () => ({ eventId: 'e' }) } });
    const first = createGrpcServer({ ...bench, host: '127.0.0.1', port: 0 });
    await first.start();
    const { port } = first;
    const channel = createGrpcChannel({
      target: `127.0.0.1:${port}`,
      serviceTokens: () => 'service:session',
      maxReconnectMs: 200,
    });
    const im = createClient(ImService, channel);
    const context = createCallContext({ principal: personPrincipal('person:p1'), token: 'person:p1' });
    await channel.ready(5000);
    await im.sendMessage({}, { context });
    await first.stop();
    const unavailable = (error: ParleyError) => error.kind === 'unavailable' && !error.message.includes(String(port));
    await assert.rejects(im.sendMessage({}, { context }), unavailable);
    const second = createGrpcServer({ ...bench, host: '127.0.0.1', port });
    await second.start();
    await channel.ready(5000);
    assert.equal((await im.sendMessage({}, { context })).eventId, 'e');
    channel.close();
    await second.stop();
  });

  it('uses several addresses in turn, and goes past one that is down', async () => {
    const answers = (eventId: string) => createBench({ im: { sendMessage: async () => ({ eventId }) } });
    const servers = ['a', 'b'].map(id => createGrpcServer({ ...answers(id), host: '127.0.0.1', port: 0 }));
    for (const server of servers) await server.start();
    const target = servers.map(server => `127.0.0.1:${server.port}`);
    const channel = createGrpcChannel({ target, serviceTokens: () => 'service:session' });
    const im = createClient(ImService, channel);
    const context = createCallContext({ principal: personPrincipal('person:p1'), token: 'person:p1' });
    const ask = async () => (await im.sendMessage({}, { context })).eventId;
    const seen = new Set([await ask(), await ask(), await ask(), await ask()]);
    assert.deepEqual([...seen].sort(), ['a', 'b']);
    await servers[0]?.stop();
    // One call may still find the dead connection; after that they all go to the other.
    await ask().catch(() => {});
    await ask().catch(() => {});
    for (let i = 0; i < 6; i++) assert.equal(await ask(), 'b');
    channel.close();
    await servers[1]?.stop();
  });

  it('passes on that the token of the service cannot be had', async () => {
    const channel = createGrpcChannel({
      target: '127.0.0.1:1',
      serviceTokens: () => {
        throw new Error('no key');
      },
    });
    await assert.rejects(
      createClient(ImService, channel).sendMessage({}),
      (error: ParleyError) => error.code === 'rpc.internal',
    );
    channel.close();
  });

  it('ends streams with a refusal when the server stops', async () => {
    const opened = gate();
    const connect: NonNullable<Handlers['session']>['connect'] = async (_, context, sink) => {
      sink.send({ event: { case: 'heartbeat', value: {} } });
      opened.resolve();
      await new Promise(resolve => context.signal.addEventListener('abort', resolve));
    };
    await using({ session: { connect } }, async ({ server }) => {
      const channel = createGrpcChannel({ target: `127.0.0.1:${server.port}`, serviceTokens: () => 'service:session' });
      const context = createCallContext({ principal: personPrincipal('person:p1'), token: 'person:p1' });
      const read = async () => {
        for await (const _ of createClient(SessionService, channel).connect({}, { context })) {
          // Only the end matters.
        }
      };
      const refused = assert.rejects(read(), (error: ParleyError) => error.code === 'rpc.shutting_down');
      await opened.promise;
      await server.stop();
      await refused;
      channel.close();
    });
  });
});

describe('grpc.health.v1', () => {
  const check = async (raw: Client, service: string) => {
    const reader = new BinaryReader(await unary(raw, '/grpc.health.v1.Health/Check', text(1, service)));
    reader.tag();
    return reader.int32();
  };

  it('says without a token whether the process is ready', async () => {
    await using({}, async ({ raw, bench }) => {
      assert.equal(await check(raw, ''), 1);
      assert.equal(await check(raw, 'parley.im.v1.ImService'), 1);
      await assert.rejects(check(raw, 'other.Service'), status(5));
      bench.health.draining();
      assert.equal(await check(raw, ''), 2);
    });
  });

  it('sends changes to those who watch', async () => {
    await using({}, async ({ raw, bench }) => {
      const call = raw.makeServerStreamRequest(
        '/grpc.health.v1.Health/Watch',
        identity,
        identity,
        Buffer.alloc(0),
        metadata(),
      );
      call.on('error', () => {});
      const states: number[] = [];
      for await (const state of call) {
        states.push((state as Buffer)[1] as number);
        if (states.length === 1) bench.health.draining();
        if (states.length === 2) break;
      }
      assert.deepEqual(states, [1, 2]);
    });
  });
});

for (const version of ['v1', 'v1alpha']) {
  describe(`reflection ${version}`, () => {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;

    /** Number and content of the answer's field, beside host and question. */
    async function ask(
      raw: Client,
      question: Uint8Array,
      token?: string,
    ): Promise<[field: number, content: Uint8Array]> {
      const call = raw.makeBidiStreamRequest(path, identity, identity, metadata(token));
      call.write(Buffer.from(question));
      call.end();
      for await (const answer of call) {
        const reader = new BinaryReader(answer as Buffer);
        while (reader.pos < reader.len) {
          const [field] = reader.tag();
          const content = reader.bytes();
          if (field > 2) return [field, content];
        }
      }
      throw new Error('no answer');
    }

    /** Every value of a repeated field 1. */
    function list(content: Uint8Array): Uint8Array[] {
      const reader = new BinaryReader(content);
      const found: Uint8Array[] = [];
      while (reader.pos < reader.len) {
        reader.tag();
        found.push(reader.bytes());
      }
      return found;
    }

    it('lists the services and describes them completely', async () => {
      await using(
        {},
        async ({ raw }) => {
          const [field, services] = await ask(raw, text(7, ''), 'person:p1');
          assert.equal(field, 6);
          const names = list(services).map(entry => Buffer.from(list(entry)[0] as Uint8Array).toString());
          assert.ok(names.includes('parley.im.v1.ImService') && names.includes('grpc.health.v1.Health'));
          for (const question of [
            text(4, 'parley.im.v1.ImService.SendMessage'),
            text(4, 'parley.im.v1.MessageContent'),
            text(3, 'parley/im/v1/im.proto'),
          ]) {
            const [kind, files] = await ask(raw, question, 'service:im');
            assert.equal(kind, 4);
            const file = list(files).map(bytes => fromBinary(FileDescriptorProtoSchema, bytes));
            const known = createFileRegistry(create(FileDescriptorSetSchema, { file: file.toReversed() }));
            assert.ok(known.getService('parley.im.v1.ImService')?.method.sendMessage);
          }
          assert.equal((await ask(raw, text(4, 'parley.common.v1.ErrorInfo'), 'person:p1'))[0], 4);
          assert.equal((await ask(raw, text(4, 'no.Such'), 'person:p1'))[0], 7);
          const extension = new BinaryWriter()
            .tag(5, WireType.LengthDelimited)
            .fork()
            .tag(1, WireType.LengthDelimited)
            .string('google.protobuf.MethodOptions')
            .tag(2, WireType.Varint)
            .int32(50401)
            .join();
          assert.equal((await ask(raw, extension.finish(), 'person:p1'))[0], 4);
          assert.equal((await ask(raw, text(6, 'google.protobuf.MethodOptions'), 'person:p1'))[0], 5);
          assert.equal((await ask(raw, new Uint8Array([0xff]), 'person:p1'))[0], 7);
        },
        { reflection: true },
      );
    });

    it('needs a token, and can be switched off', async () => {
      await using({}, async ({ raw }) => void (await assert.rejects(ask(raw, text(7, '')), status(16))), {
        reflection: true,
      });
      await using({}, async ({ raw }) => void (await assert.rejects(ask(raw, text(7, ''), 'person:p1'), status(12))));
    });
  });
}
