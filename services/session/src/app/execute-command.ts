import { ParleyError } from '@parley/rpc';
import type { SessionConfig } from '../config.ts';
import { CommandMemory, type CommandOutcome, DONE, isUuid, RUNNING } from '../domain/command-memory.ts';
import { type Command, type MachineState, mayCommand } from '../domain/commands.ts';
import type { SessionEvents } from '../events.ts';
import type { Endpoints } from '../ports/endpoints.ts';
import type { Frames } from '../ports/frames.ts';
import type { Hub } from './hub.ts';
import type { PresenceBoard } from './presence-board.ts';
import type { Resolver } from './resolver.ts';
import type { Session } from './session.ts';

interface ExecuteDeps {
  readonly config: SessionConfig;
  readonly hub: Hub;
  readonly board: PresenceBoard;
  readonly resolver: Resolver;
  readonly endpoints: Endpoints;
  readonly frames: Frames;
  readonly events: SessionEvents;
}

/** Carries out a command that came for a session of this pod, and answers on its stream. */
export type ExecuteCommand = (session: Session, command: Command) => void;

export function createExecuteCommand(deps: ExecuteDeps): ExecuteCommand {
  const { board, config, endpoints, events, frames, hub, resolver } = deps;

  function answer(session: Session, command: Command, outcome: CommandOutcome): void {
    events.commanded(command.action.kind, outcome.code);
    session.memory?.remember(command.commandId, outcome);
    repeat(session, command.commandId, outcome);
  }

  function repeat(session: Session, commandId: string, outcome: CommandOutcome): void {
    if (session.state === 'ended') return;
    hub.offer(session, frames.commandResult(commandId, outcome), 'control');
  }

  function watch(session: Session, add: readonly string[], remove: readonly string[]): CommandOutcome {
    const fresh = board.watch(session, add, remove, config.maxWatches);
    if (!fresh) return { code: 'session.too_many_watches', field: 'add_person_ids' };
    resolver.request(session.personId, fresh);
    return DONE;
  }

  async function activity(session: Session, command: Command, machineState: MachineState): Promise<void> {
    await session.activity;
    if (session.state === 'ended') return;
    try {
      const applied = await endpoints.update(session, machineState);
      answer(session, command, DONE);
      // Presence no longer has the device under this connection: only a new one can bring it back.
      if (!applied && (session.state === 'live' || session.state === 'slow')) {
        hub.reconnect('endpoint_lost', config.resyncSpreadMs, [session]);
      }
    } catch (error) {
      answer(session, command, { code: error instanceof ParleyError ? error.code : 'rpc.internal', field: '' });
    }
  }

  return (session, command) => {
    if (session.state === 'ended') return;
    if (!mayCommand(session, command) || !isUuid(command.commandId)) return events.foreignCommand(session);
    const { action } = command;
    if (action.kind === 'taken_over') {
      events.commanded('taken_over', '');
      return hub.end(session, 'taken_over');
    }
    session.memory ??= new CommandMemory(config.rememberedCommands);
    const known = session.memory.find(command.commandId);
    if (known) return known === RUNNING ? undefined : repeat(session, command.commandId, known);
    switch (action.kind) {
      case 'watch':
        return answer(session, command, watch(session, action.add, action.remove));
      case 'renew':
        session.expiresMs = Math.max(session.expiresMs, command.tokenExpiresMs);
        return answer(session, command, DONE);
      case 'activity': {
        session.memory.remember(command.commandId, RUNNING);
        const telling = activity(session, command, action.machineState).finally(() => {
          if (session.activity === telling) session.activity = undefined;
        });
        session.activity = telling;
        return undefined;
      }
      case 'disconnect':
        answer(session, command, DONE);
        return hub.end(session, 'disconnected');
    }
  };
}
