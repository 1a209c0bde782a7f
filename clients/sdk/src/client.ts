import { Code, createClient } from '@connectrpc/connect';
import { ArchiveService, AuditService, DiscoveryService } from '@parley/contracts/archive/v1/archive';
import { DirectoryAdminService, PolicyAdminService } from '@parley/contracts/directory/v1/admin';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import type { Person } from '@parley/contracts/directory/v1/person';
import { ImService } from '@parley/contracts/im/v1/im';
import { DeviceType, MachineState, type MyPresence, PresenceService } from '@parley/contracts/presence/v1/presence';
import { SessionService } from '@parley/contracts/session/v1/session';
import { closedReason } from './abort.ts';
import type { ParleyClient, ParleyClientOptions, RawServices } from './client-types.ts';
import { createConnection } from './connection.ts';
import { createConversations, type ShownMessage } from './conversations.ts';
import { backoff, type ClientEnvironment, defaultEnvironment } from './environment.ts';
import { ParleyClientError, signedOut, toClientError } from './errors.ts';
import { createInbox, memoryCursorStore } from './inbox.ts';
import { online } from './online.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { memoryOutboxStore, type OutgoingMessage } from './outbox-store.ts';
import { createPresenceStores } from './presence.ts';
import { memoryTokenStore } from './tokens.ts';
import { createTransports } from './transport.ts';

/** Version of this client, told to the server on Connect. */
export const CLIENT_VERSION = '0.1.0';

/** People one call asks for (directory.proto, GetPeople). */
const PEOPLE_AT_ONCE = 200;

/** Makes a client. Nothing is sent until it is used. */
export function createParleyClient(options: ParleyClientOptions): ParleyClient {
  const env: ClientEnvironment = { ...defaultEnvironment, ...options.environment };
  const name = options.name ?? 'parley-sdk';
  const baseUrl = options.baseUrl.replace(/\/+$/, '');
  const { auth, tokens, signedIn } = createTransports(baseUrl, options.tokens ?? memoryTokenStore(), env, options);
  const services: RawServices = {
    directory: createClient(DirectoryService, signedIn),
    directoryAdmin: createClient(DirectoryAdminService, signedIn),
    policies: createClient(PolicyAdminService, signedIn),
    presence: createClient(PresenceService, signedIn),
    im: createClient(ImService, signedIn),
    session: createClient(SessionService, signedIn),
    archive: createClient(ArchiveService, signedIn),
    discovery: createClient(DiscoveryService, signedIn),
    audit: createClient(AuditService, signedIn),
  };
  const outboxStore = options.outbox ?? memoryOutboxStore();
  let selfId = '';
  let opened: Promise<Outbox> | undefined;
  let closing = new AbortController();
  const presence = createPresenceStores();
  const conversations = createConversations(() => selfId);
  const inbox = createInbox(services.im, options.cursors ?? memoryCursorStore(), env, () => selfId);
  inbox.onEvent(conversations.apply);
  inbox.onMoved(conversations.apply);
  const background = (work: Promise<unknown> | undefined) => void work?.catch(() => undefined);
  const wakeOutbox = () => background(opened?.then(outbox => outbox.wake()));

  const stream = createConnection(
    services.session,
    tokens,
    env,
    {
      endpointId: options.endpointId ?? env.uuid(),
      device: options.device ?? DeviceType.COMPUTER,
      clientVersion: `${name}/${CLIENT_VERSION}`,
    },
    MachineState.ACTIVE,
    {
      onConnected(connected) {
        wakeOutbox();
        background(keepSynchronised(connected.sessionId, connected.syncIntervalMs));
      },
      onEvent({ event }) {
        if (event.case === 'im') inbox.push(event.value);
        else if (event.case === 'presence') presence.apply(event.value);
        else if (event.case === 'resync')
          background(env.sleep(event.value.afterMs, closing.signal).then(() => inbox.sync()));
      },
    },
  );
  stream.state.subscribe(() => stream.state.getSnapshot().phase !== 'online' && presence.forgetAll());

  /** Synchronises now and regularly while this session lasts. */
  async function keepSynchronised(sessionId: string, intervalMs: number): Promise<void> {
    const { signal } = closing;
    for (let failures = 0; ; ) {
      await inbox.sync(signal).then(
        () => (failures = 0),
        () => failures++,
      );
      const soon = 5_000 + backoff(env, failures);
      await env.sleep(Math.max(1_000, failures > 0 ? Math.min(soon, intervalMs) : intervalMs), signal);
      const now = stream.state.getSnapshot();
      if (now.phase !== 'online' || now.sessionId !== sessionId) return;
    }
  }

  /** Nothing of one person is shown to, or sent in the name of, another. */
  async function become(personId: string): Promise<void> {
    if (selfId === personId) return;
    if (selfId !== '') {
      await stream.stop();
      stream.forget();
      background(opened?.then(outbox => outbox.close()));
      opened = undefined;
      inbox.forget();
      conversations.forget();
      presence.forgetAll();
    }
    selfId = personId;
    tokens.belongTo(personId);
  }

  const shownOf = (m: OutgoingMessage): Omit<ShownMessage, 'state' | 'key'> => ({
    id: `${m.senderId}.${m.messageId}`,
    senderId: m.senderId,
    text: m.text,
    importance: m.importance,
    timeMs: m.queuedMs,
  });

  /** Shows how the sending of a message ended. */
  function settle(message: OutgoingMessage, result: { key: string; acceptedMs: bigint } | Error): void {
    const shown = shownOf(message);
    if (result instanceof Error) conversations.failed(message.recipientId, shown.id, result);
    else
      conversations.acknowledged(message.recipientId, {
        ...shown,
        key: result.key,
        timeMs: Number(result.acceptedMs),
      });
  }

  async function open(): Promise<Outbox> {
    const personId = await tokens.personId();
    if (personId === undefined) throw signedOut();
    await become(personId);
    const outbox = createOutbox(personId, services.im, outboxStore, env);
    for (const left of await outbox.resume(settle)) conversations.sending(left.recipientId, shownOf(left));
    return outbox;
  }

  /** One promise for all, so that what is sent first goes first. */
  function ready(): Promise<Outbox> {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  }

  const call = async <T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw toClientError(error, signal);
    }
  };
  const own = (answer: { presence?: MyPresence | undefined }): MyPresence => {
    if (!answer.presence) throw badAnswer('a presence');
    return answer.presence;
  };
  const badAnswer = (what: string) =>
    new ParleyClientError('client.bad_answer', Code.Internal, `the server answered without ${what}`);

  return {
    services,
    connection: stream.state,
    presence,
    conversations,
    wake() {
      stream.wake();
      wakeOutbox();
    },
    signIn: (address, password, { deviceLabel = name, signal } = {}) =>
      call(async () => {
        const answer = await auth.signIn({ address, password, deviceLabel }, signal ? { signal } : {});
        if (!answer.tokens || !answer.person) throw badAnswer('tokens');
        await become(answer.person.id);
        await tokens.accept(answer.tokens, answer.person.id);
        return { person: answer.person, passwordChangeRequired: answer.passwordChangeRequired };
      }, signal),
    signedInAs: () => tokens.personId(),
    changePassword: (currentPassword, newPassword) =>
      call(async () => {
        const personId = await tokens.personId();
        if (personId === undefined) throw signedOut();
        await become(personId);
        const connected = !['idle', 'ended'].includes(stream.state.getSnapshot().phase);
        await tokens.replace(async token => {
          const headers = { authorization: `Bearer ${token}` };
          const answer = await auth.changePassword({ currentPassword, newPassword }, { headers });
          if (!answer.tokens) throw badAnswer('tokens');
          return answer.tokens;
        });
        if (!connected) return;
        await stream.stop(); // it belongs to the sign-in that has ended
        stream.start();
      }),
    signOut: ({ everywhere = false } = {}) =>
      call(async () => {
        await stream.stop();
        const refreshToken = await tokens.forget();
        await become('');
        if (refreshToken) await auth.signOut({ refreshToken, everywhere });
      }),
    async connect({ machineState, signal } = {}) {
      if (closing.signal.aborted) closing = new AbortController();
      await ready();
      if (machineState !== undefined) await stream.reportActivity(machineState);
      stream.start();
      try {
        await online(stream.state, signal);
      } catch (error) {
        if (signal?.aborted) await stream.stop();
        throw error;
      }
    },
    watch: personIds => call(() => stream.watch(personIds)),
    unwatch: personIds =>
      call(async () => {
        await stream.watch([], personIds);
        presence.forget(personIds);
      }),
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
    onMoved: listener => inbox.onMoved(listener),
    send(recipientId, text, sendOptions = {}) {
      const messageId = sendOptions.messageId ?? env.uuid();
      const acknowledged = (async () => {
        const outbox = await ready();
        const { lastKey } = conversations.with(recipientId).getSnapshot();
        const sent = outbox.send(recipientId, text, { ...sendOptions, messageId, afterKey: lastKey });
        conversations.sending(recipientId, shownOf(sent.message));
        try {
          const result = await sent.acknowledged;
          settle(sent.message, result);
          return result;
        } catch (error) {
          settle(sent.message, error as Error);
          throw error;
        }
      })();
      acknowledged.catch(() => undefined); // the conversation shows it to those who do not wait
      return { messageId, acknowledged };
    },
    loadHistory: (personId, { cursor = '', limit = 50, signal } = {}) =>
      call(async () => {
        await ready();
        const request = { withPersonId: personId, cursor, limit };
        const page = await services.im.getHistory(request, signal ? { signal } : {}).catch((error: unknown) => {
          const failure = toClientError(error, signal);
          if (failure instanceof ParleyClientError && failure.code === 'im.conversation_not_found') return undefined;
          throw failure;
        });
        for (const event of page?.events ?? []) conversations.apply(event);
        return page?.nextCursor || undefined;
      }, signal),
    sync: signal => call(() => inbox.sync(signal), signal),
    findPeople: idsOrAddresses =>
      call(async () => {
        const found: Person[] = [];
        for (let at = 0; at < idsOrAddresses.length; at += PEOPLE_AT_ONCE) {
          const some = idsOrAddresses.slice(at, at + PEOPLE_AT_ONCE);
          const addresses = some.filter(text => text.includes('@'));
          const ids = some.filter(text => !text.includes('@'));
          found.push(...(await services.directory.getPeople({ ids, addresses })).people);
        }
        return found;
      }),
    async close() {
      closing.abort(closedReason());
      background(opened?.then(outbox => outbox.close()));
      opened = undefined;
      inbox.stop();
      await stream.stop();
    },
  };
}
