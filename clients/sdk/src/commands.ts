import { Code } from '@connectrpc/connect';
import type { CommandResult } from '@parley/contracts/session/v1/session';
import { unlessAborted } from './abort.ts';
import type { ClientEnvironment } from './environment.ts';
import { ParleyClientError, toClientError } from './errors.ts';

/**
 * Commands of one stream. The server forwards a command at most once to the pod that holds the stream, and the outcome
 * comes on the stream; so a command is repeated with the same id until its outcome has come.
 */
export interface Commands {
  /** Runs `send` with a new command id, again and again, until the outcome is known; rejects with a refusal. */
  run(send: (commandId: string) => Promise<unknown>, signal: AbortSignal): Promise<void>;
  /** Takes note of an outcome from the stream. */
  settle(result: CommandResult): void;
}

/** How long an outcome is waited for before the command is sent again, milliseconds. */
const PATIENCE_MS = 3_000;
const TRIES = 5;

/** See {@link Commands}. */
export function createCommands(env: ClientEnvironment): Commands {
  const waiting = new Map<string, (result: CommandResult) => void>();

  async function attempt(send: () => Promise<unknown>, settled: AbortSignal, signal: AbortSignal): Promise<void> {
    try {
      await send();
    } catch (error) {
      const failure = toClientError(error, signal);
      if (!(failure instanceof ParleyClientError) || !failure.retryable) throw failure;
    }
    await env.sleep(PATIENCE_MS, AbortSignal.any([signal, settled])).catch(() => undefined);
  }

  return {
    async run(send, signal) {
      const commandId = env.uuid();
      const settled = new AbortController();
      let result: CommandResult | undefined;
      waiting.set(commandId, outcome => {
        result = outcome;
        settled.abort();
      });
      try {
        for (let tries = 0; tries < TRIES && !result; tries++) {
          signal.throwIfAborted();
          await unlessAborted(
            attempt(() => send(commandId), settled.signal, signal),
            signal,
          );
        }
      } finally {
        waiting.delete(commandId);
      }
      if (!result) throw new ParleyClientError('client.command_unanswered', Code.Unavailable, 'no outcome came');
      const { errorCode, field } = result;
      if (errorCode !== '')
        throw new ParleyClientError(errorCode, Code.FailedPrecondition, errorCode, field ? { field } : {});
    },
    settle: result => waiting.get(result.commandId)?.(result),
  };
}
