import { type ImEvent, ImEventKind, Importance } from '@parley/contracts/im/v1/im';
import { callSafely, createStore, type ReadableStore, type WritableStore } from './store.ts';

/** A message as it is shown. */
export interface ShownMessage {
  /** `<sender id>.<message id>`. */
  readonly id: string;
  readonly senderId: string;
  readonly text: string;
  readonly importance: 'normal' | 'high';
  /** Place in the order; empty while it is on its way. */
  readonly key: string;
  /** When the server accepted it, or when it was written while it is on its way; milliseconds since 1970-01-01 UTC. */
  readonly timeMs: number;
  readonly state: 'sending' | 'sent' | 'received' | 'failed';
  /** Why it failed. */
  readonly error?: Error;
}

/** Messages with one person, oldest first; those on their way and those that failed last. */
export interface Conversation {
  readonly withPersonId: string;
  readonly messages: readonly ShownMessage[];
  /** Greatest key seen. */
  readonly lastKey: string;
}

/** Every conversation of the signed-in person that this client has seen. */
export interface Conversations {
  /** The conversation with a person; empty until something is known of it. */
  with(personId: string): ReadableStore<Conversation>;
  /** Ids of those with messages, the most recent first. */
  readonly list: ReadableStore<readonly string[]>;
  /** Takes note of an event from the server. */
  apply(event: ImEvent): void;
  /** Shows a message that is on its way. */
  sending(personId: string, message: Omit<ShownMessage, 'state' | 'key'>): void;
  /** Shows that a message on its way is durable. */
  acknowledged(personId: string, message: Omit<ShownMessage, 'state'>): void;
  /** Shows that a message failed. */
  failed(personId: string, id: string, error: Error): void;
  /** Forgets everything: somebody else has signed in. */
  forget(): void;
}

/** See {@link Conversations}. */
export function createConversations(self: () => string): Conversations {
  const folds = new Map<string, Fold>();
  const list = createStore<readonly string[]>([]);

  function foldOf(personId: string): Fold {
    let fold = folds.get(personId);
    if (!fold) folds.set(personId, (fold = createFold(personId)));
    return fold;
  }

  function put(personId: string, message: ShownMessage): void {
    const fold = foldOf(personId);
    fold.put(message);
    bringForward(list, personId, message.key === '', id => foldOf(id).lastKey());
  }

  return {
    with: foldOf,
    list,
    apply(event) {
      if (event.kind !== ImEventKind.MESSAGE || !event.content) return; // kinds of later versions are skipped
      const mine = event.senderId === self();
      const other = mine ? event.recipientIds.find(id => id !== self()) : event.senderId;
      if (other === undefined) return;
      put(other, {
        id: event.id,
        senderId: event.senderId,
        text: event.content.text,
        importance: event.content.importance === Importance.HIGH ? 'high' : 'normal',
        key: event.key,
        timeMs: Number(event.acceptedMs),
        state: mine ? 'sent' : 'received',
      });
    },
    sending(personId, message) {
      // what an earlier run left behind may have arrived by then
      if (foldOf(personId).find(message.id)?.state !== 'sent') put(personId, { ...message, key: '', state: 'sending' });
    },
    acknowledged: (personId, message) => put(personId, { ...message, state: 'sent' }),
    failed(personId, id, error) {
      const found = foldOf(personId).find(id);
      if (found?.state === 'sending') put(personId, { ...found, state: 'failed', error });
    },
    forget() {
      for (const fold of folds.values()) fold.clear();
      list.set([]);
    },
  };
}

/** Keeps the list in order of the last keys; a conversation in which something is on its way comes to the front. */
function bringForward(
  list: WritableStore<readonly string[]>,
  personId: string,
  toFront: boolean,
  lastKeyOf: (personId: string) => string,
): void {
  const before = list.getSnapshot();
  const at = before.indexOf(personId);
  const key = lastKeyOf(personId);
  const target = toFront ? 0 : before.findIndex(id => id === personId || lastKeyOf(id) < key);
  if (at >= 0 && target === at) return;
  const others = before.filter(id => id !== personId);
  list.set(others.toSpliced(target < 0 ? others.length : target, 0, personId));
}

/** One conversation; its snapshot is made when somebody looks. */
interface Fold extends ReadableStore<Conversation> {
  put(message: ShownMessage): void;
  find(id: string): ShownMessage | undefined;
  lastKey(): string;
  clear(): void;
}

function createFold(withPersonId: string): Fold {
  const listeners = new Set<() => void>();
  let byId = new Map<string, ShownMessage>();
  let ordered: ShownMessage[] = [];
  let loose: ShownMessage[] = [];
  let snapshot: Conversation | undefined;
  const lastKey = () => ordered.at(-1)?.key ?? '';

  function changed(): void {
    snapshot = undefined;
    for (const listener of [...listeners]) callSafely(listener);
  }

  function place(message: ShownMessage): void {
    const before = byId.get(message.id);
    byId.set(message.id, message);
    const home = message.key === '' ? loose : ordered;
    const at = before?.key === message.key ? home.indexOf(before) : -1;
    if (at >= 0) return void home.splice(at, 1, message);
    if (before) loose = loose.filter(m => m.id !== message.id);
    if (before && before.key !== '') ordered = ordered.filter(m => m.id !== message.id);
    if (message.key === '') loose.push(message);
    else ordered.splice(positionOf(ordered, message.key), 0, message);
  }

  return {
    getSnapshot: () => (snapshot ??= { withPersonId, messages: [...ordered, ...loose], lastKey: lastKey() }),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    put(message) {
      place(message);
      changed();
    },
    find: id => byId.get(id),
    lastKey,
    clear() {
      byId = new Map();
      ordered = [];
      loose = [];
      changed();
    },
  };
}

/** Where a key belongs: after all that are not greater. Most belong at the end. */
function positionOf(ordered: readonly ShownMessage[], key: string): number {
  let [low, high] = [0, ordered.length];
  if ((ordered.at(-1)?.key ?? '') <= key) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ordered[middle]?.key ?? '') <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
