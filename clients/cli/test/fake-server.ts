import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createConnectRouter } from '@connectrpc/connect';
import { createFetchHandler } from '@connectrpc/connect/protocol';
import { ErrorInfoSchema } from '@parley/contracts';
import {
  ArchiveService,
  type GetStatusResponseSchema,
  type LocateRecordResponseSchema,
  type ParkedRecordSchema,
  type VerifyEventSchema,
} from '@parley/contracts/archive/v1/archive';
import { PolicyAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import type { EffectiveArchivingPolicySchema } from '@parley/contracts/directory/v1/policy';
import { type ImEvent, ImEventKind, ImEventSchema, ImService } from '@parley/contracts/im/v1/im';
import { type ExplainPresenceResponseSchema, PresenceService } from '@parley/contracts/presence/v1/presence';
import {
  SessionEndReason,
  type SessionEvent,
  SessionEventSchema,
  SessionService,
} from '@parley/contracts/session/v1/session';

import { createFakeArchive } from './fake-archive.ts';
import { createFakeDirectory } from './fake-directory.ts';

type EventInit = NonNullable<MessageInitShape<typeof SessionEventSchema>['event']>;

export const MEI = {
  id: 'mei-id',
  displayName: '林美玲',
  primaryAddress: 'mei@clinic.example',
  addresses: ['mei@clinic.example'],
};
export const TOM = {
  id: 'tom-id',
  displayName: 'Tom Okafor',
  primaryAddress: 'tom@clinic.example',
  addresses: ['tom@clinic.example'],
};
const PEOPLE = [MEI, TOM];

export function refusal(code: string, status: Code, rest: { field?: string; retryAfterMs?: number } = {}) {
  const value = create(ErrorInfoSchema, { code, ...rest, requestId: 'r-77' });
  return new ConnectError(`no: ${code}`, status, undefined, [{ desc: ErrorInfoSchema, value }]);
}

/** Answers of a Parley, as far as the command line needs them, through `fetch`. */
export function createFakeServer() {
  const archive = createFakeArchive();
  const directory = createFakeDirectory();
  const sent: { recipientId: string; text: string; messageId: string }[] = [];
  const watchers = new Set<(event: EventInit) => void>();
  const history: ImEvent[] = [];
  let signIns = 0;
  let keys = 100;

  const server = {
    sent,
    history,
    calls: [] as { path: string; authorization: string | null }[],
    passwordChangeRequired: false,
    verifyEvents: [] as MessageInitShape<typeof VerifyEventSchema>['event'][],
    status: { policySummary: 'All messages are archived.' } as MessageInitShape<typeof GetStatusResponseSchema>,
    policies: [] as unknown[],
    /** Scopes of people whose policy is not the global one, by id. */
    own: new Map<string, MessageInitShape<typeof EffectiveArchivingPolicySchema>>(),
    parked: [] as MessageInitShape<typeof ParkedRecordSchema>[],
    located: new Map<string, MessageInitShape<typeof LocateRecordResponseSchema>>(),
    /** What is explained of people, by id; of others nothing is, for lack of a role. */
    explained: new Map<string, MessageInitShape<typeof ExplainPresenceResponseSchema>>(),
    archive,
    directory,
    created: directory.created,
    /** Pushes an event to every open stream. */
    push: (event: EventInit) => watchers.forEach(push => push(event)),
    get streams() {
      return watchers.size;
    },
    message: (from: typeof MEI, to: typeof MEI, text: string, n = ++keys) =>
      create(ImEventSchema, {
        id: `${from.id}.m${n}`,
        kind: ImEventKind.MESSAGE,
        conversationId: 'd_1',
        senderId: from.id,
        key: `k${String(n).padStart(6, '0')}`,
        acceptedMs: BigInt(Date.now()),
        content: { text },
        recipientIds: [from.id, to.id],
      }),
    fetch,
  };

  const pair = () => ({
    accessToken: `access-${++signIns}`,
    accessExpiresMs: BigInt(Date.now() + 900_000),
    refreshToken: `refresh-${signIns}`,
    refreshExpiresMs: BigInt(Date.now() + 86_400_000),
    serverTimeMs: BigInt(Date.now()),
  });
  const found = (names: readonly string[]) =>
    PEOPLE.filter(p => names.includes(p.id) || names.includes(p.primaryAddress));
  const view = (personId: string) => ({
    personId,
    availability: 6500,
    note: 'in theatre',
    revision: 3n,
    device: 1 as const,
  });

  async function* connect(signal: AbortSignal): AsyncGenerator<SessionEvent> {
    const queue: EventInit[] = [
      {
        case: 'connected',
        value: {
          sessionId: 'session-1',
          heartbeatMs: 20_000,
          syncIntervalMs: 300_000,
          serverVersion: '0.1.0',
          recommendedClientVersion: '0.1.0',
          serverTimeMs: BigInt(Date.now()),
        },
      },
    ];
    let wake = () => undefined as void;
    const push = (event: EventInit) => {
      queue.push(event);
      wake();
    };
    watchers.add(push);
    let open = true;
    signal.addEventListener('abort', () => {
      open = false;
      wake();
    });
    try {
      while (open) {
        for (let next = queue.shift(); next; next = queue.shift()) {
          yield create(SessionEventSchema, { event: next });
          if (next.case === 'sessionEnded') return;
        }
        if (open) await new Promise<void>(resolve => (wake = resolve));
      }
    } finally {
      watchers.delete(push);
    }
  }
  const confirm = ({ commandId }: { commandId: string }) => {
    server.push({ case: 'commandResult', value: { commandId } });
    return {};
  };

  const router = archive
    .mount(directory.mount(createConnectRouter({ grpc: false, connect: false })))
    .service(AuthService, {
      signIn: ({ address, password }) => {
        if (password !== 'correct horse battery') throw refusal('directory.sign_in_refused', Code.Unauthenticated);
        const person = found([address])[0] ?? MEI;
        return { tokens: pair(), person, passwordChangeRequired: server.passwordChangeRequired };
      },
      changePassword: ({ currentPassword, newPassword }) => {
        if (currentPassword !== 'correct horse battery')
          throw refusal('directory.password_wrong', Code.PermissionDenied);
        if (newPassword.length < 12) throw refusal('directory.password_short', Code.InvalidArgument);
        return { tokens: pair() };
      },
      refresh: () => {
        throw refusal('directory.refresh_invalid', Code.Unauthenticated);
      },
      signOut: () => ({}),
    })
    .service(PolicyAdminService, {
      getEffectiveArchivingPolicy: ({ person }) => ({
        effective: server.own.get(person) ?? {
          policy: { archiveInternal: true, archiveExternal: true, critical: false },
          scope: 1 as const,
        },
      }),
      setArchivingPolicy: request => {
        server.policies.push(request);
        return { effective: { ...(request.policy && { policy: request.policy }), scope: 3 as const, version: 2n } };
      },
    })
    .service(PresenceService, {
      getPresence: ({ personIds }) => ({ views: personIds.map(view) }),
      explainPresence({ targetId }) {
        const explained = server.explained.get(targetId);
        if (!explained) throw refusal('rpc.permission_denied', Code.PermissionDenied);
        return explained;
      },
      getMyPresence: () => ({ presence: { view: view(MEI.id) } }),
      setPresence: ({ availability, expiresMs }) => ({
        presence: { view: view(MEI.id), preferred: availability, preferredExpiresMs: expiresMs },
      }),
    })
    .service(SessionService, {
      connect: (_, context) => connect(context.signal),
      watch: confirm,
      renew: confirm,
      reportActivity: confirm,
      disconnect() {
        server.push({ case: 'sessionEnded', value: { reason: SessionEndReason.DISCONNECTED } });
        return {};
      },
    })
    .service(ImService, {
      sendMessage: ({ recipientId, messageId, content }) => {
        const text = content?.text ?? '';
        if (text.startsWith('bad')) throw refusal('im.archive_unavailable', Code.Unavailable, { retryAfterMs: 10_000 });
        sent.push({ recipientId, text, messageId });
        const key = `k${String(++keys).padStart(6, '0')}`;
        return { eventId: `${MEI.id}.${messageId}`, conversationId: 'd_1', key, acceptedMs: BigInt(Date.now()) };
      },
      sync: () => ({ complete: true, cursor: 'c1', events: history }),
      getHistory: ({ limit }) => {
        if (history.length === 0) throw refusal('im.conversation_not_found', Code.NotFound);
        return { events: history.toReversed().slice(0, limit) };
      },
    })
    .service(ArchiveService, {
      getStatus: () => server.status,
      listParked({ limit, cursor }) {
        const from = Number(cursor || 0);
        const records = server.parked.slice(from, from + limit);
        const next = from + records.length;
        return { records, nextCursor: next < server.parked.length ? String(next) : '' };
      },
      locateRecord({ recordId }) {
        const located = server.located.get(recordId);
        if (!located) throw refusal('archive.record_not_found', Code.NotFound);
        return located;
      },
      async *verify() {
        for (const event of server.verifyEvents) if (event) yield { event };
      },
    });
  const handlers = new Map(router.handlers.map(h => [h.requestPath, createFetchHandler(h)]));

  async function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init);
    const path = new URL(request.url).pathname;
    server.calls.push({ path, authorization: request.headers.get('authorization') });
    const handler = handlers.get(path);
    if (!handler) return new Response(null, { status: 404 });
    const response = await handler(request);
    if (!response.body) return response;
    const body = response.body.pipeThrough(new TransformStream(), { signal: request.signal });
    return new Response(body, { status: response.status, headers: response.headers });
  }
  return server;
}
