import { type ImEvent, ImEventKind } from '@parley/contracts/im/v1/im';
import { createStore, type ReadableStore, type WritableStore } from './store.ts';

/** A message as it is shown. */
export interface ShownMessage {
  /** `<sender id>.<message id>`. */
  readonly id: string;
  readonly senderId: string;
  readonly text: string;
  readonly importance: 'normal' | 'high';
  /** Place in the order; empty while it is on its way. */
  readonly key: string;
  /** When the server accepted it, or when it was written while it is on its way. */
  readonly timeMs: number;
  readonly state: 'sending' | 'sent' | 'received' | 'failed';
  /** Why it failed. */
  readonly error?: Error;
}

/** Messages with one person, oldest first; those on their way last. */
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
}

/** See {@link Conversations}. */
export function createConversations(self: () => string): Conversations {
  const stores = new Map<string, WritableStore<Conversation>>();
  const list = createStore<readonly string[]>([]);

  function storeOf(personId: string): WritableStore<Conversation> {
    let store = stores.get(personId);
    if (!store) {
      store = createStore<Conversation>({ withPersonId: personId, messages: [], lastKey: '' });
      stores.set(personId, store);
    }
    return store;
  }

  function put(personId: string, message: ShownMessage): void {
    const store = storeOf(personId);
    const { messages, lastKey } = store.getSnapshot();
    const others = messages.filter(m => m.id !== message.id);
    const at = message.key === '' ? others.length : others.findLastIndex(m => m.key !== '' && m.key <= message.key) + 1;
    store.set({
      withPersonId: personId,
      messages: others.toSpliced(at, 0, message),
      lastKey: message.key > lastKey ? message.key : lastKey,
    });
    if (list.getSnapshot()[0] !== personId) list.set([personId, ...list.getSnapshot().filter(id => id !== personId)]);
  }

  return {
    with: storeOf,
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
        importance: event.content.importance === 2 ? 'high' : 'normal',
        key: event.key,
        timeMs: Number(event.acceptedMs),
        state: mine ? 'sent' : 'received',
      });
    },
    sending: (personId, message) => put(personId, { ...message, key: '', state: 'sending' }),
    acknowledged: (personId, message) => put(personId, { ...message, state: 'sent' }),
    failed(personId, id, error) {
      const found = storeOf(personId)
        .getSnapshot()
        .messages.find(m => m.id === id);
      if (found?.state === 'sending') put(personId, { ...found, state: 'failed', error });
    },
  };
}
