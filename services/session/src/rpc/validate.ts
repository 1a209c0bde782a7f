import { DeviceType, MachineState as WireState } from '@parley/contracts/presence/v1/presence';
import type { ConnectRequest as WireConnect } from '@parley/contracts/session/v1/session';
import type { PersonPrincipal } from '@parley/rpc';
import type { ConnectRequest } from '../app/connect.ts';
import { parseClientVersion } from '../domain/client-version.ts';
import { isUuid } from '../domain/command-memory.ts';
import type { CommandAction, DeviceKind, MachineState } from '../domain/commands.ts';
import { sessionErrors as err } from '../errors.ts';

const ENDPOINT = /^[A-Za-z0-9_-]{8,64}$/;
const ID = /^[A-Za-z0-9_-]{1,64}$/;
const SESSION = /^[A-Za-z0-9_-]{8,64}$/;
const CLIENT_VERSION_CHARACTERS = 64;
const IDS = 1_000;

/** Reads a ConnectRequest; what is left out has the usual value. */
export function readConnect(request: WireConnect, person: PersonPrincipal): ConnectRequest {
  checkId(request.endpointId, ENDPOINT, 'endpoint_id');
  const machineState =
    request.machineState === WireState.UNSPECIFIED ? 1 : readMachineState(request.machineState, 'machine_state');
  const { clientVersion } = request;
  const client = clientVersion.length <= CLIENT_VERSION_CHARACTERS ? parseClientVersion(clientVersion) : undefined;
  if (clientVersion !== '' && !client) {
    throw err('session.invalid_client_version', {
      field: 'client_version',
      params: { limit: CLIENT_VERSION_CHARACTERS },
    });
  }
  checkIds(request.watchPersonIds, 'watch_person_ids');
  return {
    personId: person.id,
    signInId: person.signInId,
    tokenExpiresMs: person.tokenExpiresMs,
    endpointId: request.endpointId,
    device: readDevice(request.device),
    machineState,
    clientVersion,
    client,
    watch: [...new Set(request.watchPersonIds)],
  };
}

/** Checks what every command has. */
export function checkCommand(request: { readonly sessionId: string; readonly commandId: string }): void {
  checkId(request.sessionId, SESSION, 'session_id');
  if (!isUuid(request.commandId)) throw err('session.invalid_id', { field: 'command_id', params: { pattern: 'UUID' } });
}

export function readWatch(request: {
  readonly addPersonIds: readonly string[];
  readonly removePersonIds: readonly string[];
}): CommandAction {
  checkIds(request.addPersonIds, 'add_person_ids');
  checkIds(request.removePersonIds, 'remove_person_ids');
  return { kind: 'watch', add: request.addPersonIds, remove: request.removePersonIds };
}

function readDevice(device: number): DeviceKind {
  if (device < DeviceType.UNSPECIFIED || device > DeviceType.DESK_PHONE) {
    throw err('session.unknown_value', { field: 'device' });
  }
  return device as DeviceKind;
}

/** Refuses what is not one of the states. */
export function readMachineState(state: number, field: string): MachineState {
  if (state < WireState.ACTIVE || state > WireState.AWAY) throw err('session.unknown_value', { field });
  return state as MachineState;
}

function checkIds(ids: readonly string[], field: string): void {
  if (ids.length > IDS) throw err('session.too_many_ids', { field, params: { limit: IDS } });
  ids.forEach((id, i) => checkId(id, ID, `${field}[${i}]`));
}

function checkId(id: string, pattern: RegExp, field: string): void {
  if (!pattern.test(id)) {
    throw err('session.invalid_id', { field, params: { pattern: pattern.source.slice(1, -1) } });
  }
}
