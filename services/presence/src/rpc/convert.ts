import { create, fromBinary } from '@bufbuild/protobuf';
import { type ResolvedPresence, ResolvedPresenceSchema } from '@parley/contracts/presence/v1/internal';
import {
  ContactLevel,
  type DeviceType,
  type MachineState,
  type MyPresence,
  MyPresenceSchema,
  PreferredAvailability,
  PresenceViewSchema,
} from '@parley/contracts/presence/v1/presence';
import type { Resolved } from '../app/resolve.ts';
import { manualAt } from '../domain/aggregate.ts';
import { machineStateAt } from '../domain/endpoints.ts';
import type { Device, Level, MachineState as Machine, ManualState, PersonDoc, Timing } from '../domain/person.ts';
import { type StoredView, storedView } from '../domain/views.ts';

/** Words in the order of the enum's numbers. */
export const MANUAL: readonly (ManualState | undefined)[] = [
  undefined,
  'online',
  'busy',
  'do-not-disturb',
  'be-right-back',
  'away',
  'off-work',
  'appear-offline',
];
export const MACHINE: readonly (Machine | undefined)[] = [undefined, 'active', 'inactive', 'away'];
export const DEVICE: readonly (Device | undefined)[] = [undefined, 'computer', 'web', 'mobile', 'desk-phone'];
export const LEVEL: readonly (Level | undefined)[] = [
  undefined,
  'external',
  'colleagues',
  'workgroup',
  'friends',
  'blocked',
];

/** The number of a word; 0 for none. */
export const number = <T>(words: readonly (T | undefined)[], word: T): number => words.indexOf(word);

export const LEVEL_NUMBER: Readonly<Record<Level, ContactLevel>> = {
  external: ContactLevel.EXTERNAL,
  colleagues: ContactLevel.COLLEAGUES,
  workgroup: ContactLevel.WORKGROUP,
  friends: ContactLevel.FRIENDS_AND_FAMILY,
  blocked: ContactLevel.BLOCKED,
};

export function resolvedMessage({ personId, level, acl, view }: Resolved): ResolvedPresence {
  return create(ResolvedPresenceSchema, {
    presentityId: personId,
    level: LEVEL_NUMBER[level],
    aclRevision: BigInt(acl),
    revision: BigInt(view.rev),
    view: view.bytes,
  });
}

/** One's own presence; devices whose connection is lost are not signed in. */
export function myPresence(doc: PersonDoc, now: number, timing: Timing, unseen: StoredView): MyPresence {
  const manual = manualAt(doc, now);
  return create(MyPresenceSchema, {
    view: fromBinary(PresenceViewSchema, (storedView(doc, 'colleagues') ?? unseen).bytes),
    preferred: manual ? (number(MANUAL, manual) as PreferredAvailability) : PreferredAvailability.UNSPECIFIED,
    preferredExpiresMs: manual ? BigInt(doc.manual?.endsAt ?? 0) : 0n,
    endpoints: doc.endpoints
      .filter(e => e.goneAt === undefined)
      .map(e => ({
        endpointId: e.id,
        device: number(DEVICE, e.device) as DeviceType,
        machineState: number(MACHINE, machineStateAt(e, now, timing)) as MachineState,
        connectedMs: BigInt(e.connectedAt),
      })),
  });
}
