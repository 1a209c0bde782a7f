import { create, type DescMethodUnary, type MessageInitShape } from '@bufbuild/protobuf';
import { createMemoryBus, type MemoryBus } from '@parley/bus';
import type { DeviceType, MachineState } from '@parley/contracts/presence/v1/presence';
import { ConnectRequestSchema, type SessionService, WatchRequestSchema } from '@parley/contracts/session/v1/session';
import {
  type CallContext,
  type Channel,
  createCallContext,
  type PersonPrincipal,
  type ServiceImpl,
  type ServiceModule,
} from '@parley/rpc';
import { createMetrics, type Health, type Logger, type Metrics, systemIds } from '@parley/runtime';
import { ManualClock } from '@parley/testkit';
import { type SessionConfig, sessionConfigSchema } from '../config.ts';
import { createSession } from '../module.ts';
import { FakePresence } from './fake-presence.ts';
import { FakeStream } from './fake-stream.ts';

type Impl = ServiceImpl<typeof SessionService>;

export const quiet: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => quiet,
};

/** A client's open stream. */
export interface Opened {
  readonly stream: FakeStream;
  readonly context: CallContext;
  readonly sessionId: string;
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>;
  /** The client goes away without a word. */
  abort(): void;
}

/** One pod of the service with everything around it under the test's control. */
export interface Pod {
  readonly module: ServiceModule;
  readonly rpc: Impl;
  readonly metrics: Metrics;
  ready(): boolean;
  /** Opens a stream and waits for Connected. */
  open(person: string, init?: OpenInit): Promise<Opened>;
  /** Calls Connect and leaves the rest to the caller. */
  connect(person: string, init?: OpenInit): Opened;
}

export interface OpenInit {
  readonly endpointId?: string;
  readonly device?: DeviceType;
  readonly clientVersion?: string;
  readonly machineState?: MachineState;
  readonly watchPersonIds?: string[];
  readonly signInId?: string;
  readonly expiresInMs?: number;
}

export interface World {
  readonly clock: ManualClock;
  readonly bus: MemoryBus;
  readonly presence: FakePresence;
  readonly directory: { ended: Set<string>; asked: string[][]; fail: Error | undefined };
  /** Another pod on the same bus. */
  pod(config?: Partial<SessionConfig>): Promise<Pod>;
  /** Lets everything that is ready run. */
  settle(): Promise<void>;
  person(id: string, init?: { readonly signInId?: string; readonly expiresInMs?: number }): CallContext;
}

/** A world without pods. */
export function createWorld(): World {
  const clock = new ManualClock();
  const bus = createMemoryBus({ clock });
  const presence = new FakePresence(bus);
  const directory: World['directory'] = { ended: new Set(), asked: [], fail: undefined };

  const channel = (call: (name: string, request: unknown) => Promise<object>): Channel => ({
    async unary(method: DescMethodUnary, request: MessageInitShape<typeof method.input>) {
      const answer = await call(method.localName, create(method.input, request));
      return create(method.output, answer as MessageInitShape<typeof method.output>) as never;
    },
    stream: () => {
      throw new Error('no streams here');
    },
  });

  const channels = {
    presence: channel((name, request) => presence.call(name, request)),
    directory: channel(async (_name, request) => {
      const { signInIds } = request as { readonly signInIds: string[] };
      directory.asked.push(signInIds);
      if (directory.fail) throw directory.fail;
      return { ended: signInIds.filter(id => directory.ended.has(id)) };
    }),
  };

  function person(id: string, { signInId = `sign-in-of-${id}`, expiresInMs = 3_600_000 } = {}): CallContext {
    const principal: PersonPrincipal = {
      kind: 'person',
      id,
      signInId,
      roles: [],
      tokenExpiresMs: clock.now() + expiresInMs,
      passwordChangeRequired: false,
    };
    return createCallContext({ principal });
  }

  async function pod(config: Partial<SessionConfig> = {}): Promise<Pod> {
    const checks = new Map<string, () => { ok: boolean }>();
    const health: Health = {
      register(name, check) {
        checks.set(name, check);
        return () => void checks.delete(name);
      },
      draining: () => undefined,
      ready: () => ({ ok: [...checks.values()].every(check => check().ok), checks: {} }),
    };
    const metrics = createMetrics({ defaults: false });
    const module = createSession(sessionConfigSchema.parse(config), {
      clock,
      ids: systemIds,
      logger: quiet,
      metrics,
      health,
      bus,
      channels,
    });
    await module.start();
    const rpc = module.services[0]?.impl as unknown as Impl;

    function connect(id: string, { signInId, expiresInMs, ...init }: OpenInit = {}): Opened {
      const stream = new FakeStream();
      const controller = new AbortController();
      let sessionId = '';
      const options = { ...(signInId && { signInId }), ...(expiresInMs && { expiresInMs }) };
      const context = { ...person(id, options), signal: controller.signal };
      const request = create(ConnectRequestSchema, { endpointId: `device-of-${id}`, ...init });
      const ended = rpc.connect(request, context, stream as never);
      ended.catch(() => undefined);
      return {
        stream,
        context,
        ended,
        get sessionId() {
          sessionId ||= stream.all('connected')[0]?.sessionId ?? '';
          return sessionId;
        },
        abort: () => controller.abort(new Error('gone')),
      };
    }

    return {
      module,
      rpc,
      metrics,
      ready: () => health.ready().ok,
      connect,
      async open(id, init) {
        const opened = connect(id, init);
        await settle();
        if (!opened.sessionId) await opened.ended;
        return opened;
      },
    };
  }

  const settle = () => clock.advance(0);
  return { clock, bus, presence, directory, pod, settle, person };
}

let commands = 0;

/** A fresh command id. */
export function commandId(): string {
  return `00000000-0000-4000-8000-${String(++commands).padStart(12, '0')}`;
}

/** Watch as a client sends it. */
export async function watch(
  pod: Pod,
  opened: Opened,
  add: readonly string[],
  remove: readonly string[] = [],
  id = commandId(),
): Promise<string> {
  const request = { sessionId: opened.sessionId, commandId: id, addPersonIds: [...add], removePersonIds: [...remove] };
  await pod.rpc.watch(create(WatchRequestSchema, request), opened.context);
  return id;
}
