import type { AvailabilityClass, PreferredAvailability } from '@parley/client';
import type { Refusal } from '../tabs/protocol.ts';

/** A person, as shown. */
export interface PersonInfo {
  readonly id: string;
  readonly displayName: string;
  readonly address: string;
  readonly department: string;
  readonly title: string;
  readonly language: string;
  /** Names the picture he has; empty when there is none. */
  readonly photoVersion: string;
  /** False when the directory knows nobody with this id. */
  readonly known: boolean;
}

/** A picture. */
export interface Photo {
  readonly mediaType: string;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Presence of a person, as shown. */
export interface PresenceInfo {
  readonly availability: AvailabilityClass;
  /** Token of the activity; empty when none is known. */
  readonly activity: string;
  readonly note: string;
  readonly mobile: boolean;
  /** Texts of the organisation's own activities by language tag. */
  readonly custom: Readonly<Record<string, string>>;
}

/** A message, as shown. */
export interface Message {
  /** `<sender id>.<message id>`. */
  readonly id: string;
  readonly senderId: string;
  readonly text: string;
  readonly high: boolean;
  /** Place in the order; empty while it is on its way. */
  readonly key: string;
  readonly timeMs: number;
  readonly state: 'sending' | 'sent' | 'received' | 'failed';
  readonly refusal?: Refusal;
}

/** How much of a conversation's history is here. */
export interface Paging {
  /** `unknown` before the first page. */
  readonly state: 'unknown' | 'loading' | 'more' | 'all' | 'failed';
  readonly cursor: string;
  readonly refusal?: Refusal;
}

/** Who is signed in. */
export type SessionInfo =
  | { readonly kind: 'starting' }
  | { readonly kind: 'signed-out'; readonly reason?: 'ended' }
  /** Nothing else is allowed before the password has been changed. */
  | { readonly kind: 'password-change'; readonly personId: string }
  | { readonly kind: 'signed-in'; readonly personId: string };

/** How the stream stands. */
export type ConnectionInfo =
  | { readonly phase: 'connecting' }
  | { readonly phase: 'online'; readonly upgradeAdvised: boolean; readonly clockAheadMs: number }
  | { readonly phase: 'waiting'; readonly retryAtMs: number; readonly refusal: Refusal }
  | { readonly phase: 'taken-over' }
  | { readonly phase: 'refused'; readonly refusal: Refusal };

/** One's own presence, as shown. */
export interface MeInfo extends PresenceInfo {
  /** The state chosen by hand; 0 when the devices decide. */
  readonly preferred: PreferredAvailability;
}

/** Everything that all tabs know, by key. Those with an id are written as `person/<id>` and so on. */
export interface SharedState {
  session: SessionInfo;
  connection: ConnectionInfo;
  me: MeInfo;
  /** People with whom there are messages, the most recent first. */
  recent: readonly string[];
  /** People put into the list by hand, in the order it was done. */
  pins: readonly string[];
  person: PersonInfo;
  presence: PresenceInfo;
  /** Messages that came and were not looked at. */
  unread: number;
  talk: readonly Message[];
  paging: Paging;
}

/** Keys of {@link SharedState} that exist once for each person. */
export type KeyPerPerson = 'person' | 'presence' | 'unread' | 'talk' | 'paging';
/** Keys of {@link SharedState} that exist once. */
export type SingleKey = Exclude<keyof SharedState, KeyPerPerson>;

/** Somebody who was found. */
export interface Found {
  readonly people: readonly PersonInfo[];
  readonly presence: readonly PresenceInfo[];
  /** More match than were returned. */
  readonly truncated: boolean;
}

/** What tabs have the leader do. Each may be carried out twice without harm. */
export interface Commands {
  /** Tokens have changed: somebody signed in or changed the password in some tab. */
  authChanged(): void;
  signOut(): void;
  /** Tries at once to reach the server. */
  reconnect(): void;
  /** Shows a conversation: makes sure of person, presence and the newest page. */
  open(personId: string): void;
  /** Loads a page of older messages. */
  older(personId: string): void;
  send(personId: string, messageId: string, text: string): void;
  retry(personId: string, id: string): void;
  discard(personId: string, id: string): void;
  markRead(personId: string): void;
  pin(personId: string): void;
  unpin(personId: string): void;
  search(query: string): Found;
  /** A person's picture; undefined when he has none any longer. */
  photo(personId: string, version: string): Photo | undefined;
  /** Chooses one's own state; 0 lets the devices decide. */
  setPresence(choice: PreferredAvailability): void;
  setNote(text: string): void;
}

/** What tabs tell the leader without asking for anything. */
export type TabNote = { readonly kind: 'activity'; readonly lastInputMs: number } | { readonly kind: 'online' };

/** A {@link SharedStore} with the types of {@link SharedState}. */
export interface TypedStore {
  get<K extends SingleKey>(key: K): SharedState[K] | undefined;
  set<K extends SingleKey>(key: K, value: SharedState[K] | undefined): void;
  of<K extends KeyPerPerson>(key: K, personId: string): SharedState[K] | undefined;
  put<K extends KeyPerPerson>(key: K, personId: string, value: SharedState[K] | undefined): void;
  /** Ids of the people for whom there is such a value. */
  idsOf(key: KeyPerPerson): string[];
  clear(): void;
}

/** Types over a store; plain values that say the same as before are not set again. */
export function typedStore(store: {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  keys(): string[];
}): TypedStore {
  const set = (key: string, value: unknown) => {
    if (!sameValue(store.get(key), value)) store.set(key, value);
  };
  return {
    get: key => store.get(key) as never,
    set,
    of: (key, personId) => store.get(`${key}/${personId}`) as never,
    put: (key, personId, value) => set(`${key}/${personId}`, value),
    idsOf: key =>
      store
        .keys()
        .filter(name => name.startsWith(`${key}/`))
        .map(name => name.slice(key.length + 1)),
    clear: () => {
      for (const key of store.keys()) store.set(key, undefined);
    },
  };
}

/** Whether two plain values say the same; arrays are compared entry by entry, objects two levels deep. */
function sameValue(a: unknown, b: unknown, depth = 2): boolean {
  if (Object.is(a, b)) return true;
  if (depth < 0 || typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false;
  const [keysA, keysB] = [Object.keys(a), Object.keys(b)];
  if (keysA.length !== keysB.length || Array.isArray(a) !== Array.isArray(b)) return false;
  const [valuesA, valuesB] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return keysA.every(key => Object.hasOwn(b, key) && sameValue(valuesA[key], valuesB[key], depth - 1));
}
