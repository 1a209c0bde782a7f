import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type SessionCommand, SessionCommandSchema } from '@parley/contracts/event/v1/bus';
import type { Command, CommandAction, MachineState } from '../../domain/commands.ts';

/** A command as it travels on the bus. */
export function encodeCommand(command: Command): Uint8Array {
  return toBinary(
    SessionCommandSchema,
    create(SessionCommandSchema, {
      commandId: command.commandId,
      personId: command.personId,
      signInId: command.signInId,
      tokenExpiresMs: BigInt(Math.trunc(command.tokenExpiresMs)),
      command: encodeAction(command.action),
    }),
  );
}

/** Undefined for a command of a later version. Throws for bytes that are none. */
export function decodeCommand(bytes: Uint8Array): Command | undefined {
  const message = fromBinary(SessionCommandSchema, bytes);
  const action = decodeAction(message.command);
  return (
    action && {
      commandId: message.commandId,
      personId: message.personId,
      signInId: message.signInId,
      tokenExpiresMs: Number(message.tokenExpiresMs),
      action,
    }
  );
}

function encodeAction(action: CommandAction): NonNullable<MessageInitShape<typeof SessionCommandSchema>['command']> {
  switch (action.kind) {
    case 'watch':
      return { case: 'watch', value: { addPersonIds: [...action.add], removePersonIds: [...action.remove] } };
    case 'renew':
      return { case: 'renew', value: {} };
    case 'activity':
      return { case: 'activity', value: { machineState: action.machineState } };
    case 'disconnect':
      return { case: 'disconnect', value: {} };
    case 'taken_over':
      return { case: 'takenOver', value: { connectionId: action.connectionId } };
  }
}

function decodeAction(command: SessionCommand['command']): CommandAction | undefined {
  switch (command.case) {
    case 'watch':
      return { kind: 'watch', add: command.value.addPersonIds, remove: command.value.removePersonIds };
    case 'renew':
      return { kind: 'renew' };
    case 'activity': {
      const { machineState } = command.value;
      return machineState >= 1 && machineState <= 3
        ? { kind: 'activity', machineState: machineState as MachineState }
        : undefined;
    }
    case 'disconnect':
      return { kind: 'disconnect' };
    case 'takenOver':
      return { kind: 'taken_over', connectionId: command.value.connectionId };
    case undefined:
      return undefined;
  }
}
