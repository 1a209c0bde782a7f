import { Code } from '@connectrpc/connect';
import { type ParleyClient, ParleyClientError } from '@parley/client';

/** What was typed and is not acknowledged yet. */
export interface Outgoing {
  send(text: string): void;
  /** How many are on their way. */
  readonly waiting: number;
  /** The first refusal. */
  readonly failure: Error | undefined;
  /** Resolves when none is on its way; rejects when that takes longer than `ms`. */
  settled(ms: number): Promise<void>;
}

/** Sends what is typed to one person and tells what becomes of it. */
export function createOutgoing(
  client: ParleyClient,
  recipientId: string,
  tell: { waiting(count: number): void; failed(text: string, messageId: string, error: Error): void },
): Outgoing {
  const pending = new Set<Promise<unknown>>();
  let failure: Error | undefined;

  return {
    get waiting() {
      return pending.size;
    },
    get failure() {
      return failure;
    },
    send(text) {
      const { messageId, acknowledged } = client.send(recipientId, text);
      const outcome = acknowledged.then(
        () => undefined,
        (error: Error) => {
          failure ??= error;
          tell.failed(text, messageId, error);
        },
      );
      pending.add(outcome);
      tell.waiting(pending.size);
      void outcome.then(() => {
        pending.delete(outcome);
        tell.waiting(pending.size);
      });
    },
    async settled(ms) {
      if (pending.size === 0) return;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          const message = `${pending.size} of your messages were not acknowledged; they may have been sent`;
          reject(new ParleyClientError('client.not_acknowledged', Code.DeadlineExceeded, message));
        }, ms);
      });
      await Promise.race([Promise.all(pending), late]).finally(() => clearTimeout(timer));
    },
  };
}
