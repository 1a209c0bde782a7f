/** What a client does at its device, by its number in the contract: active, inactive, away. */
export type MachineState = 1 | 2 | 3;

/** Kinds of device by their number in the contract: not said, computer, web, mobile, desk phone. */
export type DeviceKind = 0 | 1 | 2 | 3 | 4;

/** What a command asks of the session. */
export type CommandAction =
  | { readonly kind: 'watch'; readonly add: readonly string[]; readonly remove: readonly string[] }
  | { readonly kind: 'renew' }
  | { readonly kind: 'activity'; readonly machineState: MachineState }
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'taken_over'; readonly connectionId: string };

/** A command on its way to whoever holds the session. */
export interface Command {
  readonly commandId: string;
  readonly personId: string;
  readonly signInId: string;
  /** End of the token it was given with, milliseconds since 1970-01-01 UTC. */
  readonly tokenExpiresMs: number;
  readonly action: CommandAction;
}

/** Whose session it is. */
export interface SessionOwner {
  readonly personId: string;
  readonly signInId: string;
  readonly connectionId: string;
}

/**
 * Whether the session may carry the command out. A take-over may come from another sign-in of the same person, and
 * never from the session's own connection.
 */
export function mayCommand(owner: SessionOwner, command: Command): boolean {
  if (command.personId !== owner.personId) return false;
  if (command.action.kind === 'taken_over') return command.action.connectionId !== owner.connectionId;
  return command.signInId === owner.signInId;
}
