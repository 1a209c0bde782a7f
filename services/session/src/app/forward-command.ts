import { createTokenBuckets } from '@parley/rpc';
import type { Clock } from '@parley/runtime';
import type { SessionConfig } from '../config.ts';
import type { Command } from '../domain/commands.ts';
import { sessionErrors } from '../errors.ts';
import type { SessionEvents } from '../events.ts';
import type { Hints } from '../ports/hints.ts';

interface ForwardDeps {
  readonly config: SessionConfig;
  readonly clock: Clock;
  readonly hints: Hints;
  readonly events: SessionEvents;
}

/** Sends a command to whoever holds the session; the outcome arrives on the stream. */
export type ForwardCommand = (sessionId: string, command: Command, traceparent: string | undefined) => void;

export function createForwardCommand({ config, clock, hints, events }: ForwardDeps): ForwardCommand {
  const budget = createTokenBuckets({
    ratePerSecond: config.commandsPerMinute / 60,
    burst: config.commandsPerMinute,
    clock,
  });
  return (sessionId, command, traceparent) => {
    const waitMs = budget.take(command.personId);
    if (waitMs > 0) {
      events.forwarded(command.action.kind, 'refused');
      const params = { limit: config.commandsPerMinute };
      throw sessionErrors('session.too_many_commands', { params, retryAfterMs: waitMs });
    }
    hints.publishCommand(sessionId, command, traceparent);
    events.forwarded(command.action.kind, 'forwarded');
  };
}
