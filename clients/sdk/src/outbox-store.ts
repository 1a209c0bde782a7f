/** A message on its way. Plain data, so that it can be kept over a restart. */
export interface OutgoingMessage {
  /** UUID; the same for every try. */
  readonly messageId: string;
  /** Who wrote it: nobody else sends it. */
  readonly senderId: string;
  readonly recipientId: string;
  readonly text: string;
  readonly importance: 'normal' | 'high';
  /** Greatest key seen in the conversation when it was written. */
  readonly afterKey: string;
  /** When it was written, milliseconds since 1970-01-01 UTC by this machine's clock. */
  readonly queuedMs: number;
  /** How often it was tried. */
  readonly attempts: number;
}

/** Where messages wait that are not acknowledged yet. */
export interface OutboxStore {
  /** All that wait, in the order they were put first. */
  load(): Promise<readonly OutgoingMessage[]>;
  /** Adds a message, or replaces the one with the same id in its place. */
  put(message: OutgoingMessage): Promise<void>;
  /** Removes a message; nothing happens when it is not there. */
  remove(messageId: string): Promise<void>;
}

/** Keeps waiting messages in memory: they end with the process. */
export function memoryOutboxStore(): OutboxStore {
  const waiting = new Map<string, OutgoingMessage>();
  return {
    load: async () => [...waiting.values()],
    put: async message => void waiting.set(message.messageId, message),
    remove: async id => void waiting.delete(id),
  };
}

/** Keeps waiting messages in a Web Storage area. Use one key for each tab: two tabs would send the same messages. */
export function webOutboxStore(storage: Storage, key: string): OutboxStore {
  const read = () => JSON.parse(storage.getItem(key) ?? '[]') as OutgoingMessage[];
  const write = (all: readonly OutgoingMessage[]) => storage.setItem(key, JSON.stringify(all));
  return {
    load: async () => read(),
    async put(message) {
      const all = read();
      const at = all.findIndex(m => m.messageId === message.messageId);
      write(at < 0 ? [...all, message] : all.with(at, message));
    },
    remove: async id => write(read().filter(m => m.messageId !== id)),
  };
}
