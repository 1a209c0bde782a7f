import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createConnectRouter, type HandlerContext } from '@connectrpc/connect';
import { createFetchHandler } from '@connectrpc/connect/protocol';
import { ErrorInfoSchema } from '@parley/contracts';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import {
  type GetHistoryResponseSchema,
  ImService,
  type SendMessageRequest,
  type SyncRequest,
  type SyncResponseSchema,
} from '@parley/contracts/im/v1/im';
import {
  type ConnectRequest,
  SessionEndReason,
  type SessionEvent,
  SessionEventSchema,
  SessionService,
} from '@parley/contracts/session/v1/session';
import { event } from './events.ts';
import { createFakeTokens } from './fake-tokens.ts';

type EventInit = NonNullable<MessageInitShape<typeof SessionEventSchema>['event']>;

/** A refusal as the server sends it. */
export function refusal(code: string, status: Code, rest: { field?: string; retryAfterMs?: number } = {}) {
  const value = create(ErrorInfoSchema, { code, ...rest, requestId: 'r-1' });
  return new ConnectError(`refused: ${code}`, status, undefined, [{ desc: ErrorInfoSchema, value }]);
}

/** One open stream. */
export interface FakeStream {
  readonly request: ConnectRequest;
  readonly sessionId: string;
  push(event: EventInit): void;
  /** Ends it without a word, as a cut connection does. */
  cut(): void;
  readonly open: boolean;
}

/**
 * A Parley of one object: speaks gRPC-Web through `fetch`, with the tokens, stream and messages that the client relies
 * on. What a test wants otherwise, it replaces.
 */
export function createFakeServer(now: () => number) {
  const tokens = createFakeTokens(now);
  const streams: FakeStream[] = [];
  const commands: { readonly kind: string; readonly sessionId: string; readonly request: unknown }[] = [];
  const sent: SendMessageRequest[] = [];
  let keys = 0;

  const server = {
    tokens,
    streams,
    /** Commands in the order they came. */
    commands,
    /** Tries of messages in the order they came. */
    sent,
    /** Nobody answers. */
    down: false,
    /** Whether commands reach the pod that holds the stream. */
    forwardsCommands: true,
    connected: { heartbeatMs: 20_000, syncIntervalMs: 300_000, recommendedClientVersion: '0.1.0' },
    /** Runs before a message is stored; what it throws is the answer. */
    onSend: (_request: SendMessageRequest): void | Promise<void> => undefined,
    onSync: (_request: SyncRequest): MessageInitShape<typeof SyncResponseSchema> => ({
      complete: true,
      cursor: 'c1',
    }),
    onHistory: (): MessageInitShape<typeof GetHistoryResponseSchema> => ({}),
    onConnect: (_request: ConnectRequest): void => undefined,
    onCommand: (_kind: string): string => '',
    fetch,
  };

  const who = (context: HandlerContext) => tokens.check(context.requestHeader.get('authorization') ?? '');

  function command(kind: string) {
    return (request: { sessionId: string; commandId: string }, context: HandlerContext) => {
      who(context);
      commands.push({ kind, sessionId: request.sessionId, request });
      const stream = streams.find(s => s.sessionId === request.sessionId && s.open);
      if (!stream || !server.forwardsCommands) return {};
      if (kind === 'disconnect')
        stream.push({ case: 'sessionEnded', value: { reason: SessionEndReason.DISCONNECTED } });
      else
        stream.push({
          case: 'commandResult',
          value: { commandId: request.commandId, errorCode: server.onCommand(kind) },
        });
      return {};
    };
  }

  async function* connect(request: ConnectRequest, context: HandlerContext): AsyncGenerator<SessionEvent> {
    who(context);
    server.onConnect(request);
    const queue: SessionEvent[] = [];
    let wake: () => void = () => undefined;
    let open = true;
    const sessionId = `session-${streams.length + 1}`;
    const push = (init: EventInit) => {
      queue.push(create(SessionEventSchema, { event: init }));
      wake();
    };
    const cut = () => {
      open = false;
      wake();
    };
    context.signal.addEventListener('abort', cut);
    streams.push({
      request,
      sessionId,
      push,
      cut,
      get open() {
        return open;
      },
    });
    push({
      case: 'connected',
      value: { sessionId, serverVersion: '0.1.0', serverTimeMs: BigInt(tokens.serverNow()), ...server.connected },
    });
    while (open) {
      for (let next = queue.shift(); next && open; next = queue.shift()) yield next;
      if (open && queue.length === 0) await new Promise<void>(resolve => (wake = resolve));
    }
    throw refusal('rpc.unavailable', Code.Unavailable);
  }

  const router = createConnectRouter({ grpc: false, connect: false })
    .service(AuthService, tokens.service)
    .service(DirectoryService, {
      getPeople: ({ ids, addresses }) => ({
        people: [...ids, ...addresses].map(id => ({ id: id.split('@')[0] ?? '', displayName: id })),
      }),
    })
    .service(SessionService, {
      connect,
      watch: command('watch'),
      renew: command('renew'),
      reportActivity: command('activity'),
      disconnect: command('disconnect'),
    })
    .service(ImService, {
      async sendMessage(request, context) {
        const senderId = who(context);
        sent.push(request);
        await server.onSend(request);
        const message = event({ senderId, messageId: request.messageId, to: request.recipientId, n: ++keys });
        return { eventId: message.id, key: message.key, acceptedMs: message.acceptedMs };
      },
      sync(request, context) {
        who(context);
        return server.onSync(request);
      },
      getHistory(_, context) {
        who(context);
        return server.onHistory();
      },
    });
  const handlers = new Map(router.handlers.map(h => [h.requestPath, createFetchHandler(h)]));

  async function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    if (server.down) throw new TypeError('fetch failed');
    const request = new Request(input, init);
    const handler = handlers.get(new URL(request.url).pathname);
    if (!handler) return new Response(null, { status: 404 });
    const response = await handler(request);
    if (!response.body) return response;
    const body = response.body.pipeThrough(new TransformStream(), { signal: request.signal }); // as real bodies do
    return new Response(body, { status: response.status, headers: response.headers });
  }
  return server;
}

export type FakeServer = ReturnType<typeof createFakeServer>;
