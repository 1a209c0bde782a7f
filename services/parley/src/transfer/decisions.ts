import type { CollectionSpec, Doc } from '@parley/store';
import { TARGET_NAMES, type TargetName } from '../routes.ts';
import { TARGETS } from '../targets.ts';

/** What becomes of a collection when an installation is exported and imported elsewhere. */
export type Decision =
  /** Carried as it is. `last`: after everything else, so that nobody can sign in to half an installation. */
  | { readonly carried: true; readonly last?: boolean }
  /** Left behind, for this reason. */
  | { readonly carried: false; readonly why: string };

const carried: Decision = { carried: true };

/**
 * One line for each collection; a test names those that have none. A new collection is carried unless it says otherwise
 * here: what is only true of running processes, or of the moment, stays behind.
 */
export const DECISIONS: Readonly<Record<string, Decision>> = {
  directory_people: carried,
  directory_accounts: { carried: true, last: true },
  directory_guards: { carried: true, last: true },
  directory_addresses: carried,
  // Refresh tokens are known by their hash: devices stay signed in, whatever becomes of the keys.
  directory_sign_ins: carried,
  directory_attempts: { carried: false, why: 'wrong passwords of the last minutes and locks that follow from them' },
  directory_policies: carried,
  directory_groups: carried,
  directory_external_ids: carried,
  directory_photos: carried,
  directory_memberships: carried,
  presence_people: carried,
  // Devices in presence_people belong to these: with their leases they go the way of a crash, each after its grace.
  presence_leases: carried,
  im_events: carried,
  archive_links: carried,
  archive_contents: carried,
  archive_checkpoints: carried,
  // Blocks and positions belong together: what is indexed is not indexed again.
  archive_index: carried,
  archive_index_positions: carried,
  archive_names: carried,
  archive_verifications: { carried: false, why: 'when this installation verifies its archive again' },
  archive_audit: carried,
};

/** A collection and what is decided about it. */
export interface Transferable {
  readonly service: TargetName;
  readonly spec: CollectionSpec<Doc>;
  readonly decision: Decision;
}

/** Every collection of every service, in the order in which they are imported. */
export function transferables(): readonly Transferable[] {
  const all = TARGET_NAMES.flatMap(service =>
    TARGETS[service].collections.map(spec => ({ service, spec, decision: DECISIONS[spec.name] ?? carried })),
  );
  const isLast = ({ decision }: Transferable) => decision.carried && decision.last === true;
  return [...all.filter(one => !isLast(one)), ...all.filter(isLast)];
}

/**
 * Documents that only processes write that run, and until when they say so, milliseconds. They do not make an
 * installation other than empty.
 */
export const SIGNS_OF_LIFE: Readonly<Record<string, (doc: Doc) => number>> = {
  presence_leases: doc => (doc as Doc & { readonly expiresAt?: number }).expiresAt ?? 0,
};

/** Whether the store itself removes documents of the collection when their time is over. */
export const mayExpire = (spec: CollectionSpec<Doc>): boolean =>
  Object.values(spec.indexes).some(({ kind }) => kind === 'expiring');
