import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { ImService } from '@parley/contracts/im/v1/im';
import { PresenceService } from '@parley/contracts/presence/v1/presence';
import { SessionService } from '@parley/contracts/session/v1/session';
import type { CallContext } from './context.ts';
import { ParleyError } from './errors.ts';
import { aborted, type Bench, createBench, gate, type Handlers, testErrors } from './testing/harness.ts';
import { type Mounted, mounts } from './testing/mounts.ts';

const code =
  (expected: string, more: Partial<ParleyError> = {}) =>
  (error: unknown) => {
    assert.ok(error instanceof ParleyError, String(error));
    assert.equal(error.code, expected);
    for (const [key, value] of Object.entries(more)) assert.deepEqual(error[key as keyof ParleyError], value, key);
    return true;
  };

for (const [name, mount] of Object.entries(mounts)) {
  describe(`a call ${name === 'in process' ? name : `by ${name}`}`, () => {
    async function using(handlers: Handlers, test: (mounted: Mounted, bench: Bench) => Promise<void>): Promise<void> {
      const bench = createBench(handlers);
      const mounted = await mount(bench);
      try {
        await test(mounted, bench);
      } finally {
        await mounted.close();
      }
    }

    for (const kind of ['person', 'slow']) {
      it(`brings the request to the handler and the response back (${kind})`, async () => {
        let context: CallContext | undefined;
        const sendMessage: NonNullable<Handlers['im']>['sendMessage'] = async (request, given) => {
          context = given;
          return { eventId: request.content?.text ?? '', acceptedMs: 5n };
        };
        await using({ im: { sendMessage } }, async ({ client }) => {
          const answer = await client(ImService, `${kind}:p1`).sendMessage({ content: { text: '早安 👋' } });
          assert.equal(answer.$typeName, 'parley.im.v1.SendMessageResponse');
          assert.equal(answer.eventId, '早安 👋');
          assert.equal(answer.acceptedMs, 5n);
          assert.equal(context?.principal.kind === 'person' && context.principal.id, 'p1');
          assert.match(context?.requestId ?? '', /^[\w-]+$/);
          assert.match(context?.traceparent ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
          assert.equal(context?.token, `${kind}:p1`);
          assert.notEqual(context?.peer, '');
        });
      });
    }

    it('brings a refusal with code, kind, field, values and time to wait', async () => {
      const details = { field: 'content.text', params: { limit: 8000 }, retryAfterMs: 1500 };
      const sendMessage = () => Promise.reject(testErrors('test.refused', details));
      await using({ im: { sendMessage } }, async ({ client }) => {
        await assert.rejects(
          client(ImService, 'person:p1').sendMessage({}),
          code('test.refused', {
            kind: 'limit',
            field: 'content.text',
            params: { limit: '8000' },
            retryAfterMs: 1500,
            message: 'content.text: at most 8000 characters',
          }),
        );
      });
    });

    it('says nothing of what went wrong inside, and logs it', async () => {
      const sendMessage = () => Promise.reject(new Error('secret detail'));
      await using({ im: { sendMessage } }, async ({ client }, bench) => {
        await assert.rejects(
          client(ImService, 'person:p1').sendMessage({}),
          code('rpc.internal', { message: 'an internal error' }),
        );
        const line = bench.lines.find(l => l.event === 'rpc.failed');
        assert.equal(line?.level, 'error');
        assert.match(JSON.stringify(line?.err), /secret detail.*mounts\.test/);
      });
    });

    it('survives handlers that throw at once or answer with something else', async () => {
      const sendMessage = () => {
        throw testErrors('test.refused');
      };
      const sync = async () => ({ events: [{ acceptedMs: 'no number' }] }) as never;
      await using({ im: { sendMessage, sync } }, async ({ client }) => {
        await assert.rejects(client(ImService, 'person:p1').sendMessage({}), code('test.refused'));
        if (name !== 'in process') await assert.rejects(client(ImService, 'person:p1').sync({}), code('rpc.internal'));
      });
    });

    it('is refused without a person, without a role, and before the password was changed', async () => {
      const getAccount = async () => ({});
      const sendMessage = async () => ({ eventId: 'e' });
      const changePassword = async () => ({});
      await using({ im: { sendMessage }, admin: { getAccount }, auth: { changePassword } }, async ({ client }) => {
        await assert.rejects(client(ImService).sendMessage({}), code('rpc.unauthenticated'));
        await assert.rejects(client(DirectoryAdminService, 'person:p1').getAccount({}), code('rpc.permission_denied'));
        await client(DirectoryAdminService, 'viewer:p1').getAccount({});
        await assert.rejects(client(ImService, 'new:p1').sendMessage({}), code('rpc.password_change_required'));
        await client(AuthService, 'new:p1').changePassword({});
      });
    });

    it('is public where the contract says so, and tokens are not looked at', async () => {
      let kind = '';
      const signIn: NonNullable<Handlers['auth']>['signIn'] = async (_, context) => {
        kind = context.principal.kind;
        return {};
      };
      await using({ auth: { signIn } }, async ({ client }) => {
        await client(AuthService).signIn({ address: 'a@b.example' });
        assert.equal(kind, 'anonymous');
      });
    });

    it('ends at its deadline, tells the handler, and ignores what it answers later', async () => {
      let asked = false;
      const reason = gate<unknown>();
      const sendMessage: NonNullable<Handlers['im']>['sendMessage'] = async (_, context) => {
        asked = true;
        assert.ok((context.deadlineMs as number) > 0);
        reason.resolve(await aborted(context.signal));
        return { eventId: 'late' };
      };
      await using({ im: { sendMessage } }, async ({ client }) => {
        // on a busy machine the deadline may pass before the handler is reached
        for (let timeoutMs = 40; !asked; timeoutMs *= 2) {
          const answer = client(ImService, 'person:p1').sendMessage({}, { timeoutMs });
          await assert.rejects(answer, code('rpc.deadline_exceeded', { kind: 'deadline' }));
        }
        assert.ok(['rpc.deadline_exceeded', 'rpc.cancelled'].includes(((await reason.promise) as ParleyError).code));
      });
    });

    it('ends when the caller gives up, and tells the handler', async () => {
      const started = gate();
      const reason = gate<unknown>();
      const sendMessage: NonNullable<Handlers['im']>['sendMessage'] = async (_, context) => {
        started.resolve();
        reason.resolve(await aborted(context.signal));
        return {};
      };
      await using({ im: { sendMessage } }, async ({ client }) => {
        const controller = new AbortController();
        const answer = client(ImService, 'person:p1').sendMessage({}, { signal: controller.signal });
        await Promise.all([
          started.promise.then(() => controller.abort()),
          assert.rejects(answer, code('rpc.cancelled')),
        ]);
        assert.equal(((await reason.promise) as ParleyError).code, 'rpc.cancelled');
      });
    });

    it('streams messages in order, encoded by the sink or before, and ends with the handler', async () => {
      const connect: NonNullable<Handlers['session']>['connect'] = async (request, _, sink) => {
        sink.send({ event: { case: 'connected', value: { sessionId: request.endpointId } } });
        for (let i = 0; i < 500; i++) {
          sink.send({ event: { case: 'resync', value: { afterMs: i } } });
          if (i % 100 === 0) await new Promise(resolve => setImmediate(resolve));
        }
        // SessionEvent { heartbeat: {} }, encoded by hand.
        sink.sendEncoded(new Uint8Array([0x12, 0x00]));
      };
      await using({ session: { connect } }, async ({ client }) => {
        const events = [];
        for await (const event of client(SessionService, 'person:p1').connect({ endpointId: 'e1' }))
          events.push(event.event);
        assert.equal(events.length, 502);
        assert.equal(events[0]?.case === 'connected' && events[0].value.sessionId, 'e1');
        events.slice(1, -1).forEach((event, i) => {
          assert.equal(event.case === 'resync' && event.value.afterMs, i);
        });
        assert.equal(events.at(-1)?.case, 'heartbeat');
      });
    });

    it('brings the refusal that ends a stream after the messages before it', async () => {
      const connect: NonNullable<Handlers['session']>['connect'] = async (_, __, sink) => {
        sink.send({ event: { case: 'heartbeat', value: {} } });
        throw testErrors('test.refused', { params: { limit: 1 } });
      };
      await using({ session: { connect } }, async ({ client }) => {
        let count = 0;
        const read = async () => {
          for await (const _ of client(SessionService, 'person:p1').connect({})) count++;
        };
        await assert.rejects(read(), code('test.refused', { message: 'at most 1 characters' }));
        assert.equal(count, 1);
      });
    });

    it('brings a refusal that comes before any message of a stream', async () => {
      const connect = () => Promise.reject(testErrors('test.refused', { retryAfterMs: 7 }));
      await using({ session: { connect } }, async ({ client }) => {
        const read = async (token?: string) => {
          for await (const _ of client(SessionService, token).connect({})) assert.fail('a message');
        };
        await assert.rejects(read('person:p1'), code('test.refused', { retryAfterMs: 7 }));
        await assert.rejects(read(), code('rpc.unauthenticated'));
      });
    });

    it('tells a streaming handler when the reader leaves', async () => {
      const reason = gate<unknown>();
      const connect: NonNullable<Handlers['session']>['connect'] = async (_, context, sink) => {
        sink.send({ event: { case: 'heartbeat', value: {} } });
        reason.resolve(await aborted(context.signal));
      };
      await using({ session: { connect } }, async ({ client }, bench) => {
        for await (const _ of client(SessionService, 'person:p1').connect({})) break;
        assert.equal(((await reason.promise) as ParleyError).code, 'rpc.cancelled');
        assert.match(await bench.metrics.render(), /parley_rpc_streams\{[^}]*Connect"\} 0/);
      });
    });

    it('tells a streaming handler what its reader has not taken, and when it has', async () => {
      const drained = gate();
      const connect: NonNullable<Handlers['session']>['connect'] = async (_, __, sink) => {
        sink.onDrain(() => drained.resolve());
        sink.send({ event: { case: 'connected', value: { sessionId: 'x'.repeat(100_000) } } });
        assert.ok(sink.queuedBytes >= 100_000);
        await drained.promise;
        assert.equal(sink.queuedBytes, 0);
      };
      await using({ session: { connect } }, async ({ client }) => {
        let count = 0;
        for await (const _ of client(SessionService, 'person:p1').connect({})) count++;
        assert.equal(count, 1);
      });
    });

    it('of a method that is not there is refused', async () => {
      await using({}, async ({ client }) => {
        await assert.rejects(
          client(PresenceService, 'person:p1').getMyPresence({}),
          code('rpc.unknown_method', { kind: 'unimplemented' }),
        );
      });
    });

    it('is counted by method and status', async () => {
      const sendMessage = async () => ({});
      await using({ im: { sendMessage } }, async ({ client }, bench) => {
        await client(ImService, 'person:p1').sendMessage({});
        await assert.rejects(client(ImService).sendMessage({}));
        const text = await bench.metrics.render();
        assert.match(text, /requests_total\{service="parley.im.v1.ImService",method="SendMessage",status="OK"\} 1/);
        assert.match(text, /method="SendMessage",status="UNAUTHENTICATED"\} 1/);
        assert.match(text, /parley_rpc_seconds_count\{[^}]*"SendMessage"\} 2/);
      });
    });
  });
}
