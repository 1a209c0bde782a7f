import type { Client } from '@connectrpc/connect';
import { Importance, type ImService, type SendMessageResponse, TextFormat } from '@parley/contracts/im/v1/im';
import { closedReason, reasonOf, unlessAborted } from './abort.ts';
import { backoff, type ClientEnvironment } from './environment.ts';
import { ParleyClientError, toClientError } from './errors.ts';
import type { OutboxStore, OutgoingMessage } from './outbox-store.ts';

/** How one message is sent. */
export interface SendOptions {
  /** Default: normal. */
  readonly importance?: 'normal' | 'high';
  /** Stops the trying; what became of a message that was already tried is then unknown. */
  readonly signal?: AbortSignal;
  /** UUID; default: a new one. Give that of a message that failed to send the same message again. */
  readonly messageId?: string;
}

/** Sends messages in the order they were written, one at a time for each conversation, until they are acknowledged or refused. */
export interface Outbox {
  /**
   * Queues a message. `acknowledged` resolves when it is durable and rejects when it was refused for good; while the
   * server cannot be reached it waits.
   */
  send(
    recipientId: string,
    text: string,
    options?: SendOptions & { readonly afterKey?: string },
  ): { readonly message: OutgoingMessage; readonly acknowledged: Promise<SendMessageResponse> };
  /** Takes up what this person left behind in an earlier run; `onSettled` hears of each. */
  resume(
    onSettled: (message: OutgoingMessage, result: SendMessageResponse | Error) => void,
  ): Promise<readonly OutgoingMessage[]>;
  /** Ends the pauses between tries. */
  wake(): void;
  /** Stops trying; what waits stays in the store. */
  close(): void;
}

/** What is under way in one conversation, and the greatest key that came back. */
interface Lane {
  tail: Promise<unknown>;
  lastKey: string;
}

/** See {@link Outbox}. */
export function createOutbox(
  senderId: string,
  im: Client<typeof ImService>,
  store: OutboxStore,
  env: ClientEnvironment,
): Outbox {
  const closed = new AbortController();
  const lanes = new Map<string, Lane>();
  const naps = new Set<AbortController>();

  function attempt(message: OutgoingMessage, signal: AbortSignal): Promise<SendMessageResponse> {
    const { messageId, recipientId, text, afterKey, attempts } = message;
    const importance = message.importance === 'high' ? Importance.HIGH : Importance.NORMAL;
    const content = { text, format: TextFormat.PLAIN, importance };
    return im.sendMessage({ messageId, recipientId, content, afterKey, attempt: attempts }, { signal });
  }

  async function pause(ms: number, signal: AbortSignal): Promise<void> {
    const nap = new AbortController();
    naps.add(nap);
    await env.sleep(ms, AbortSignal.any([signal, nap.signal])).catch(() => undefined);
    naps.delete(nap);
  }

  /** Tries until there is an outcome, always with the same id and content. */
  async function deliver(written: OutgoingMessage, lane: Lane, signal: AbortSignal): Promise<SendMessageResponse> {
    // two replicas may not agree to the millisecond, so what was said before goes along
    let message = { ...written, afterKey: lane.lastKey > written.afterKey ? lane.lastKey : written.afterKey };
    for (let failures = 0; ; failures++) {
      signal.throwIfAborted();
      try {
        const result = await attempt(message, signal);
        if (result.key > lane.lastKey) lane.lastKey = result.key;
        return result;
      } catch (error) {
        const failure = toClientError(error, signal);
        if (signal.aborted || !(failure instanceof ParleyClientError) || !failure.retryable) throw failure;
        message = { ...message, attempts: message.attempts + 1 };
        await store.put(message);
        await pause(Math.max(backoff(env, failures, 250, 15_000), failure.retryAfterMs ?? 0), signal);
      }
    }
  }

  /** Whether a message must wait for another run: nobody refused it. */
  const undecided = (error: unknown) =>
    closed.signal.aborted || (error instanceof ParleyClientError && error.code === 'client.signed_out');

  const forget = (message: OutgoingMessage) => store.remove(message.messageId).catch(() => undefined);

  /** Delivers `message` after everything queued before for the same conversation, once it is `kept`. */
  function enqueue(message: OutgoingMessage, kept: Promise<void>, own?: AbortSignal): Promise<SendMessageResponse> {
    const signal = own ? AbortSignal.any([closed.signal, own]) : closed.signal;
    const lane: Lane = lanes.get(message.recipientId) ?? { tail: Promise.resolve(), lastKey: '' };
    lanes.set(message.recipientId, lane);
    const before = lane.tail;
    kept.catch(() => undefined); // heard of below, possibly later
    const mine = (async () => {
      try {
        await unlessAborted(before, signal);
        await kept;
        const result = await deliver(message, lane, signal);
        await forget(message); // one that stays is sent again by the next run and recognised by its id
        return result;
      } catch (error) {
        if (!undecided(error)) await forget(message);
        throw signal.aborted ? reasonOf(signal) : error;
      }
    })();
    // one that was given up does not let those behind it overtake those before it
    lane.tail = Promise.allSettled([before, mine]);
    return mine;
  }

  return {
    send(recipientId, text, options = {}) {
      const message: OutgoingMessage = {
        messageId: options.messageId ?? env.uuid(),
        senderId,
        recipientId,
        text,
        importance: options.importance ?? 'normal',
        afterKey: options.afterKey ?? '',
        queuedMs: env.now(),
        attempts: options.messageId === undefined ? 0 : 1, // an id of the caller's may have been tried before
      };
      return { message, acknowledged: enqueue(message, store.put(message), options.signal) };
    },
    async resume(onSettled) {
      const left = (await store.load()).filter(message => message.senderId === senderId);
      left.sort((a, b) => a.queuedMs - b.queuedMs);
      for (const message of left) {
        // an earlier run may have been cut off in the middle of a try
        enqueue({ ...message, attempts: message.attempts + 1 }, Promise.resolve()).then(
          result => onSettled(message, result),
          (error: Error) => closed.signal.aborted || onSettled(message, error),
        );
      }
      return left;
    },
    wake() {
      for (const nap of naps) nap.abort();
    },
    close: () => closed.abort(closedReason()),
  };
}
