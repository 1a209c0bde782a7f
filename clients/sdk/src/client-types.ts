import type { Client } from '@connectrpc/connect';
import type { ArchiveService, AuditService, DiscoveryService } from '@parley/contracts/archive/v1/archive';
import type { DirectoryAdminService, PolicyAdminService } from '@parley/contracts/directory/v1/admin';
import type { DirectoryService } from '@parley/contracts/directory/v1/directory';
import type { Person } from '@parley/contracts/directory/v1/person';
import type { ImEvent, ImService, SendMessageResponse } from '@parley/contracts/im/v1/im';
import type {
  DeviceType,
  MachineState,
  MyPresence,
  PreferredAvailability,
  PresenceService,
} from '@parley/contracts/presence/v1/presence';
import type { SessionService } from '@parley/contracts/session/v1/session';
import type { ConnectionState } from './connection-types.ts';
import type { Conversations } from './conversations.ts';
import type { ClientEnvironment } from './environment.ts';
import type { CursorStore } from './inbox.ts';
import type { SendOptions } from './outbox.ts';
import type { OutboxStore } from './outbox-store.ts';
import type { PresenceStores } from './presence.ts';
import type { ReadableStore } from './store.ts';
import type { TokenStore } from './tokens.ts';

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
  /**
   * Gives the W3C Trace Context `traceparent` of a call that begins (`parley.im.v1.ImService/SendMessage`), the stream
   * included, so that what servers do for it is in the caller's trace. Undefined, or not of that form: none is sent.
   * https://www.w3.org/TR/trace-context/#traceparent-header
   */
  readonly traceparent?: (call: string) => string | undefined;
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
  readonly discovery: Client<typeof DiscoveryService>;
  readonly audit: Client<typeof AuditService>;
}

/**
 * A person's connection to Parley: sign in, connect, watch, talk. Every failure is a `ParleyClientError`, but for calls
 * that the caller's own signal ended: these reject with its reason.
 */
export interface ParleyClient {
  /** Signs in with an address and a password. */
  signIn(
    address: string,
    password: string,
    options?: { readonly deviceLabel?: string; readonly signal?: AbortSignal },
  ): Promise<SignedIn>;
  /** The signed-in person, or undefined; asks the token store, not the server. */
  signedInAs(): Promise<string | undefined>;
  /** Changes one's own password. All other sign-ins of this person end; this one goes on with new tokens. */
  changePassword(current: string, next: string): Promise<void>;
  /** Ends the sign-in, here and on the server; on the server of every other device too, if asked. */
  signOut(options?: { readonly everywhere?: boolean }): Promise<void>;
  /**
   * Opens the stream and synchronises; comes back by itself until `close`. Resolves when it is online for the first
   * time, however long that takes; an aborted signal ends the trying. Rejects when the server refuses.
   */
  connect(options?: { readonly machineState?: MachineState; readonly signal?: AbortSignal }): Promise<void>;
  /** How the stream stands. */
  readonly connection: ReadableStore<ConnectionState>;
  /** Tries at once instead of waiting, for example when the network is back. */
  wake(): void;
  /** Live presence of watched people. */
  readonly presence: Pick<PresenceStores, 'of'>;
  /** Watches people from now on, at most 1,000 in all; the list is remembered over reconnects. */
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
  /**
   * An event that was handed on before and has a later key now, which is where it stands for everybody: a server that
   * was held up while it stored an event gives it another place. Rare; `conversations` follow by themselves.
   */
  onMoved(listener: (event: ImEvent) => void): () => void;
  /**
   * Sends a message: at once if it can, else when the server is back; those to one person one after the other, in the
   * order they were written. `acknowledged` resolves when the message is durable and rejects when it was refused.
   */
  send(
    recipientId: string,
    text: string,
    options?: SendOptions,
  ): { readonly messageId: string; readonly acknowledged: Promise<SendMessageResponse> };
  /** Loads a page of older messages into the conversation; returns the cursor of the next page, undefined at the end. */
  loadHistory(
    personId: string,
    options?: { readonly cursor?: string; readonly limit?: number; readonly signal?: AbortSignal },
  ): Promise<string | undefined>;
  /** Synchronises now; an aborted signal ends the waiting only. */
  sync(signal?: AbortSignal): Promise<void>;
  /** Finds people by id or address, any number, in no order; who is not found is left out. */
  findPeople(idsOrAddresses: readonly string[]): Promise<readonly Person[]>;
  /** Typed clients of every service, with this sign-in. What they throw, `toClientError` makes into typed errors. */
  readonly services: RawServices;
  /** Ends the stream and every retry; the sign-in stays. */
  close(): Promise<void>;
}

/** Who signed in. */
export interface SignedIn {
  readonly person: Person;
  readonly passwordChangeRequired: boolean;
}
