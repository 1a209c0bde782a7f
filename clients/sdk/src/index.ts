/** The Parley client for browsers and Node; see the README for a first conversation. */

export type { Person } from '@parley/contracts/directory/v1/person';
export { type ImEvent, ImEventKind, Importance, type SendMessageResponse } from '@parley/contracts/im/v1/im';
export {
  DeviceType,
  MachineState,
  type MyPresence,
  PreferredAvailability,
  type PresenceView,
} from '@parley/contracts/presence/v1/presence';
export { CLIENT_VERSION, createParleyClient } from './client.ts';
export type { ParleyClient, ParleyClientOptions, RawServices, SignedIn } from './client-types.ts';
export type { ConnectionState } from './connection-types.ts';
export type { Conversation, ShownMessage } from './conversations.ts';
export { type ClientEnvironment, defaultEnvironment } from './environment.ts';
export { ParleyClientError, toClientError } from './errors.ts';
export { type CursorStore, memoryCursorStore, webCursorStore } from './inbox.ts';
export type { SendOptions } from './outbox.ts';
export { memoryOutboxStore, type OutboxStore, type OutgoingMessage, webOutboxStore } from './outbox-store.ts';
export { type AvailabilityClass, availabilityClass } from './presence.ts';
export type { ReadableStore } from './store.ts';
export { memoryTokenStore, type StoredTokens, type TokenStore, webTokenStore } from './tokens.ts';
