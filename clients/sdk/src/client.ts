import { type Client, Code, createClient } from '@connectrpc/connect';
import { ArchiveService } from '@parley/contracts/archive/v1/archive';
import { DirectoryAdminService, PolicyAdminService } from '@parley/contracts/directory/v1/admin';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import type { Person } from '@parley/contracts/directory/v1/person';
import { type ImEvent, ImService, type SendMessageResponse } from '@parley/contracts/im/v1/im';
import {
  DeviceType,
  MachineState,
  type MyPresence,
  type PreferredAvailability,
  PresenceService,
} from '@parley/contracts/presence/v1/presence';
import { SessionService } from '@parley/contracts/session/v1/session';
import { type Connection, type ConnectionState, createConnection } from './connection.ts';
import { type Conversations, createConversations } from './conversations.ts';
import { type ClientEnvironment, defaultEnvironment } from './environment.ts';
import { ParleyClientError, toClientError } from './errors.ts';
import { type CursorStore, createInbox, memoryCursorStore } from './inbox.ts';
import { createOutbox, memoryOutboxStore, type Outbox, type OutboxStore } from './outbox.ts';
import { createPresenceStores, type PresenceStores } from './presence.ts';
import type { ReadableStore } from './store.ts';
import { memoryTokenStore, type TokenStore } from './tokens.ts';
import { createTransports } from './transport.ts';

/** Version of this client, told to the server on Connect. */
export const CLIENT_VERSION = '0.1.0';

/** How to make a client. Only `baseUrl` is needed. */
export interface ParleyClientOptions {
  /** Where the server is, for example `https://parley.hospital.example`. */
  readonly baseUrl: string;
  /** Keeps the sign-in; default: memory. */
  readonly tokens?: TokenStore;
  /** Keeps the place of the last synchronisation; default: memory. */
  readonly cursors?: CursorStore;
  /** Keeps messages that are not acknowledged; default: memory. */
  readonly outbox?: OutboxStore;
  /** Stable id of this device, `[A-Za-z0-9_-]{8,64}`; default: new for each client. */
  readonly endpointId?: string;
  /** Kind of device; default: computer. */
  readonly device?: DeviceType;
  /** Name of the program, told to the server with the version; default `parley-sdk`. */
  readonly name?: string;
  /** Milliseconds a unary call may take; default 10,000. */
  readonly timeoutMs?: number;
  /** Replaces `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** Replaces clock, randomness and locks. */
  readonly environment?: Partial<ClientEnvironment>;
}

/** Typed clients of every service a person may call. */
export interface RawServices {
  readonly directory: Client<typeof DirectoryService>;
  readonly directoryAdmin: Client<typeof DirectoryAdminService>;
  readonly policies: Client<typeof PolicyAdminService>;
  readonly presence: Client<typeof PresenceService>;
  readonly im: Client<typeof ImService>;
  readonly session: Client<typeof SessionService>;
  readonly archive: Client<typeof ArchiveService>;
}

/** A person's connection to Parley: sign in, connect, watch, talk. Every failure is a {@link ParleyClientError}. */
export interface ParleyClient {
  /** Signs in with an address and a password. */
  signIn(
    address: string,
    password: string,
    options?: { readonly deviceLabel?: string; readonly signal?: AbortSignal },
  ): Promise<SignedIn>;
  /** The signed-in person, or undefined; asks the token store, not the server. */
  signedInAs(): Promise<string | undefined>;
  /** Ends the sign-in, here and on the server. */
  signOut(options?: { readonly everywhere?: boolean }): Promise<void>;
  /** Opens the stream and synchronises; comes back by itself until `close`. Resolves when it is online for the first time. */
  connect(options?: { readonly machineState?: MachineState; readonly signal?: AbortSignal }): Promise<void>;
  /** How the stream stands. */
  readonly connection: ReadableStore<ConnectionState>;
  /** Tries at once instead of waiting, for example when the network is back. */
  wake(): void;
  /** Live presence of watched people. */
  readonly presence: Pick<PresenceStores, 'of'>;
  /** Watches people from now on; the list is remembered over reconnects. */
  watch(personIds: readonly string[]): Promise<void>;
  /** Watches them no longer. */
  unwatch(personIds: readonly string[]): Promise<void>;
  /** Chooses one's own state; `undefined` lets the devices decide again. */
  setPresence(state: PreferredAvailability | undefined, options?: { readonly expiresMs?: number }): Promise<MyPresence>;
  /** Sets or, with an empty text, removes the personal note. */
  setNote(text: string): Promise<MyPresence>;
  /** Tells what the person does at this device. */
  reportActivity(state: MachineState): Promise<void>;
  /** Conversations this client has seen. */
  readonly conversations: Pick<Conversations, 'with' | 'list'>;
  /** Every event of a conversation of this person, once each, pushed or synchronised. */
  onEvent(listener: (event: ImEvent) => void): () => void;
  /** Sends a message; see `Outbox.send`. */
  send(
    recipientId: string,
    text: string,
    options?: { readonly importance?: 'normal' | 'high'; readonly signal?: AbortSignal; readonly messageId?: string },
  ): { readonly messageId: string; readonly acknowledged: Promise<SendMessageResponse> };
  /** Loads a page of older messages into the conversation; returns the cursor of the next page, undefined at the end. */
  loadHistory(
    personId: string,
    options?: { readonly cursor?: string; readonly limit?: number; readonly signal?: AbortSignal },
  ): Promise<string | undefined>;
  /** Synchronises now. */
  sync(signal?: AbortSignal): Promise<void>;
  /** Finds people by id or address, in no order; who is not found is left out. */
  findPeople(idsOrAddresses: readonly string[]): Promise<readonly Person[]>;
  /** Typed clients of every service, with this sign-in. */
  readonly services: RawServices;
  /** Ends the stream and every retry; the sign-in stays. */
  close(): Promise<void>;
}

/** Who signed in. */
export interface SignedIn {
  readonly person: Person;
  readonly passwordChangeRequired: boolean;
}

/** Makes a client. Nothing is sent until it is used. */
export function createParleyClient(options: ParleyClientOptions): ParleyClient {
  const env: ClientEnvironment = { ...defaultEnvironment, ...options.environment };
  const { auth, tokens, signedIn } = createTransports(
    options.baseUrl.replace(/\/+$/, ''),
    options.tokens ?? memoryTokenStore(),
    env,
    options,
  );
  const services: RawServices = {
    directory: createClient(DirectoryService, signedIn),
    directoryAdmin: createClient(DirectoryAdminService, signedIn),
    policies: createClient(PolicyAdminService, signedIn),
    presence: createClient(PresenceService, signedIn),
    im: createClient(ImService, signedIn),
    session: createClient(SessionService, signedIn),
    archive: createClient(ArchiveService, signedIn),
  };
  let selfId = '';
  const presence = createPresenceStores();
  const conversations = createConversations(() => selfId);
  const inbox = createInbox(services.im, options.cursors ?? memoryCursorStore(), env);
  inbox.onEvent(conversations.apply);
  let outbox: Outbox | undefined;
  let connection: Connection | undefined;
  let closing = new AbortController();
  const background = (work: Promise<unknown>) => void work.catch(() => undefined); // the next Connected or interval repeats it

  connection = createConnection(
    services.session,
    tokens,
    env,
    {
      endpointId: options.endpointId ?? env.uuid(),
      device: options.device ?? DeviceType.COMPUTER,
      clientVersion: `${options.name ?? 'parley-sdk'}/${CLIENT_VERSION}`,
    },
    MachineState.ACTIVE,
    {
      onConnected(connected) {
        background(inbox.sync(closing.signal));
        outbox?.wake();
        background(syncRegularly(connected.sessionId, connected.syncIntervalMs));
      },
      onEvent({ event }) {
        if (event.case === 'im') inbox.push(event.value);
        else if (event.case === 'presence') presence.apply(event.value);
        else if (event.case === 'resync')
          background(env.sleep(event.value.afterMs, closing.signal).then(() => inbox.sync(closing.signal)));
      },
    },
  );
  const stream = connection;
  stream.state.subscribe(() => stream.state.getSnapshot().phase !== 'online' && presence.forgetAll());

  async function syncRegularly(sessionId: string, intervalMs: number): Promise<void> {
    const still = () => {
      const now = stream.state.getSnapshot();
      return now.phase === 'online' && now.sessionId === sessionId;
    };
    for (;;) {
      await env.sleep(Math.max(1_000, intervalMs), closing.signal);
      if (!still()) return;
      await inbox.sync(closing.signal).catch(() => undefined);
    }
  }

  async function ready(): Promise<Outbox> {
    selfId = (await tokens.personId()) ?? '';
    if (selfId === '') throw new ParleyClientError('client.signed_out', Code.Unauthenticated, 'nobody is signed in');
    if (!outbox) {
      outbox = createOutbox(services.im, options.outbox ?? memoryOutboxStore(), env);
      const left = await outbox.resume((message, result) => {
        if (result instanceof Error)
          conversations.failed(message.recipientId, `${selfId}.${message.messageId}`, result);
      });
      for (const m of left) {
        conversations.sending(m.recipientId, {
          id: `${selfId}.${m.messageId}`,
          senderId: selfId,
          text: m.text,
          importance: m.importance,
          timeMs: m.queuedMs,
        });
      }
    }
    return outbox;
  }

  const call = async <T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw toClientError(error, signal);
    }
  };
  const own = (answer: { presence?: MyPresence | undefined }): MyPresence => {
    if (!answer.presence)
      throw new ParleyClientError('client.bad_answer', Code.Internal, 'the server answered without a presence');
    return answer.presence;
  };

  return {
    services,
    connection: stream.state,
    presence,
    conversations,
    wake() {
      stream.wake();
      outbox?.wake();
    },
    signIn: (address, password, { deviceLabel = options.name ?? 'parley-sdk', signal } = {}) =>
      call(async () => {
        const answer = await auth.signIn({ address, password, deviceLabel }, signal ? { signal } : {});
        if (!answer.tokens || !answer.person)
          throw new ParleyClientError('client.bad_answer', Code.Internal, 'the server answered without tokens');
        await tokens.accept(answer.tokens, answer.person.id);
        selfId = answer.person.id;
        return { person: answer.person, passwordChangeRequired: answer.passwordChangeRequired };
      }, signal),
    signedInAs: () => tokens.personId(),
    signOut: ({ everywhere = false } = {}) =>
      call(async () => {
        await stream.stop();
        const refreshToken = await tokens.forget();
        if (refreshToken) await auth.signOut({ refreshToken, everywhere });
      }),
    async connect({ machineState, signal } = {}) {
      if (closing.signal.aborted) closing = new AbortController();
      await ready();
      if (machineState !== undefined) await stream.reportActivity(machineState);
      stream.start();
      await online(stream.state, signal);
    },
    watch: personIds => call(() => stream.watch(personIds)),
    unwatch: personIds => call(() => stream.watch([], personIds)),
    setPresence: (state, { expiresMs = 0 } = {}) =>
      call(async () => {
        const requestId = env.uuid();
        if (state === undefined) return own(await services.presence.resetPresence({ requestId }));
        return own(
          await services.presence.setPresence({ requestId, availability: state, expiresMs: BigInt(expiresMs) }),
        );
      }),
    setNote: text => call(async () => own(await services.presence.setNote({ requestId: env.uuid(), text }))),
    reportActivity: state => call(() => stream.reportActivity(state)),
    onEvent: listener => inbox.onEvent(listener),
    send(recipientId, text, sendOptions = {}) {
      const messageId = sendOptions.messageId ?? env.uuid();
      const acknowledged = (async () => {
        const box = await ready();
        const id = `${selfId}.${messageId}`;
        const { lastKey } = conversations.with(recipientId).getSnapshot();
        const { message, acknowledged } = box.send(recipientId, text, { ...sendOptions, messageId, afterKey: lastKey });
        conversations.sending(recipientId, {
          id,
          senderId: selfId,
          text,
          importance: message.importance,
          timeMs: message.queuedMs,
        });
        try {
          const result = await acknowledged;
          const { senderId, importance } = { senderId: selfId, importance: message.importance };
          conversations.acknowledged(recipientId, {
            id,
            senderId,
            text,
            importance,
            key: result.key,
            timeMs: Number(result.acceptedMs),
          });
          return result;
        } catch (error) {
          conversations.failed(recipientId, id, error as Error);
          throw error;
        }
      })();
      return { messageId, acknowledged };
    },
    loadHistory: (personId, { cursor = '', limit = 50, signal } = {}) =>
      call(async () => {
        await ready();
        const page = await services.im.getHistory({ withPersonId: personId, cursor, limit }, signal ? { signal } : {});
        for (const event of page.events) conversations.apply(event);
        return page.nextCursor === '' ? undefined : page.nextCursor;
      }, signal),
    sync: signal => call(() => inbox.sync(signal), signal),
    findPeople: idsOrAddresses =>
      call(async () => {
        const addresses = idsOrAddresses.filter(text => text.includes('@'));
        const ids = idsOrAddresses.filter(text => !text.includes('@'));
        return (await services.directory.getPeople({ ids, addresses })).people;
      }),
    async close() {
      closing.abort(new DOMException('the client was closed', 'AbortError'));
      outbox?.close();
      outbox = undefined;
      await stream.stop();
    },
  };
}

/** Resolves when the stream is online; rejects when it ended or the signal was aborted. */
function online(state: ReadableStore<ConnectionState>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const now = state.getSnapshot();
      if (signal?.aborted) done(signal.reason as Error);
      else if (now.phase === 'online') done();
      else if (now.phase === 'ended')
        done(now.error ?? new ParleyClientError('client.ended', Code.Canceled, `the stream ended: ${now.reason}`));
    };
    const done = (error?: Error) => {
      off();
      signal?.removeEventListener('abort', look);
      if (error) reject(error);
      else resolve();
    };
    const off = state.subscribe(look);
    signal?.addEventListener('abort', look);
    if (state.getSnapshot().phase !== 'idle' && state.getSnapshot().phase !== 'ended') look();
  });
}
