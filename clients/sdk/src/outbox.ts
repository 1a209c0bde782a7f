import type { Client } from '@connectrpc/connect';
import { Importance, type ImService, type SendMessageResponse, TextFormat } from '@parley/contracts/im/v1/im';
import { backoff, type ClientEnvironment } from './environment.ts';
import { ParleyClientError, toClientError } from './errors.ts';

/** A message on its way. Plain data, so that it can be kept over a restart. */
export interface OutgoingMessage {
  /** UUID; the same for every try. */
  readonly messageId: string;
  readonly recipientId: string;
  readonly text: string;
  readonly importance: 'normal' | 'high';
  /** Greatest key seen in the conversation when it was written. */
  readonly afterKey: string;
  readonly queuedMs: number;
  /** How often it was tried. */
  readonly attempts: number;
}

/** Where messages wait that are not acknowledged yet. */
export interface OutboxStore {
  load(): Promise<readonly OutgoingMessage[]>;
  put(message: OutgoingMessage): Promise<void>;
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

/** Keeps waiting messages in a Web Storage area. */
export function webOutboxStore(storage: Storage, key: string): OutboxStore {
  const read = () => JSON.parse(storage.getItem(key) ?? '[]') as OutgoingMessage[];
  const write = (all: readonly OutgoingMessage[]) => storage.setItem(key, JSON.stringify(all));
  return {
    load: async () => read(),
    put: async message => write([...read().filter(m => m.messageId !== message.messageId), message]),
    remove: async id => write(read().filter(m => m.messageId !== id)),
  };
}

/** Sends messages in the order they were written, one at a time for each conversation, until they are acknowledged or refused. */
export interface Outbox {
  /**
   * Queues a message. `acknowledged` resolves when it is durable and rejects when it was refused for good; while the
   * server cannot be reached it waits. An aborted signal stops the trying: what became of the message is then unknown.
   */
  send(
    recipientId: string,
    text: string,
    options?: {
      readonly importance?: 'normal' | 'high';
      readonly afterKey?: string;
      readonly signal?: AbortSignal;
      readonly messageId?: string;
    },
  ): { readonly message: OutgoingMessage; readonly acknowledged: Promise<SendMessageResponse> };
  /** Takes up what was left by an earlier run; `onSettled` hears of each. */
  resume(
    onSettled: (message: OutgoingMessage, result: SendMessageResponse | Error) => void,
  ): Promise<readonly OutgoingMessage[]>;
  /** Ends the pauses between tries. */
  wake(): void;
  /** Stops trying; what waits stays in the store. */
  close(): void;
}

/** See {@link Outbox}. */
export function createOutbox(im: Client<typeof ImService>, store: OutboxStore, env: ClientEnvironment): Outbox {
  const closed = new AbortController();
  const tails = new Map<string, Promise<unknown>>();
  const naps = new Set<AbortController>();

  async function deliver(message: OutgoingMessage, signal: AbortSignal): Promise<SendMessageResponse> {
    let tries = message.attempts;
    for (let failures = 0; ; failures++) {
      signal.throwIfAborted();
      try {
        const content = {
          text: message.text,
          format: TextFormat.PLAIN,
          importance: message.importance === 'high' ? Importance.HIGH : Importance.NORMAL,
        };
        const result = await im.sendMessage(
          {
            messageId: message.messageId,
            recipientId: message.recipientId,
            content,
            afterKey: message.afterKey,
            attempt: tries,
          },
          { signal },
        );
        await store.remove(message.messageId);
        return result;
      } catch (error) {
        const failure = toClientError(error, signal);
        if (signal.aborted) throw failure;
        const retry = failure instanceof ParleyClientError && (failure.retryable || failure.code === 'client.network');
        if (!retry) {
          await store.remove(message.messageId);
          throw failure;
        }
        tries++;
        await store.put({ ...message, attempts: tries });
        const nap = new AbortController();
        naps.add(nap);
        const pause = Math.max(backoff(env, failures, 250, 15_000), failure.retryAfterMs ?? 0);
        await env.sleep(pause, AbortSignal.any([signal, nap.signal])).catch(() => undefined);
        naps.delete(nap);
      }
    }
  }

  /** Runs `deliver` after everything queued before for the same conversation. */
  function enqueue(message: OutgoingMessage, signal: AbortSignal): Promise<SendMessageResponse> {
    const before = tails.get(message.recipientId) ?? Promise.resolve();
    const mine = before.then(() => deliver(message, signal));
    const tail = mine.catch(() => undefined);
    tails.set(message.recipientId, tail);
    void tail.then(() => tails.get(message.recipientId) === tail && tails.delete(message.recipientId));
    return mine;
  }

  return {
    send(recipientId, text, options = {}) {
      const message: OutgoingMessage = {
        messageId: options.messageId ?? env.uuid(),
        recipientId,
        text,
        importance: options.importance ?? 'normal',
        afterKey: options.afterKey ?? '',
        queuedMs: env.now(),
        attempts: 0,
      };
      const signal = options.signal ? AbortSignal.any([closed.signal, options.signal]) : closed.signal;
      const kept = store.put(message);
      return { message, acknowledged: kept.then(() => enqueue(message, signal)) };
    },
    async resume(onSettled) {
      const left = [...(await store.load())].sort((a, b) => a.queuedMs - b.queuedMs);
      for (const message of left) {
        // an earlier run may have been cut off in the middle of a try
        enqueue({ ...message, attempts: message.attempts + 1 }, closed.signal).then(
          result => onSettled(message, result),
          (error: Error) => closed.signal.aborted || onSettled(message, error),
        );
      }
      return left;
    },
    wake() {
      for (const nap of naps) nap.abort();
    },
    close: () => closed.abort(new DOMException('the client was closed', 'AbortError')),
  };
}
