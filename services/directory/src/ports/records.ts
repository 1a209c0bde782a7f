import type { Collection, Doc } from '@parley/store';
import type { Account } from '../domain/account.ts';
import type { AddressClaim } from '../domain/address-claim.ts';
import type { Administrators } from '../domain/administrators.ts';
import type { Attempts } from '../domain/attempts.ts';
import type { ExternalIdClaim } from '../domain/external-id.ts';
import type { Group, Membership } from '../domain/group.ts';
import type { Person } from '../domain/person.ts';
import type { Photo } from '../domain/photo.ts';
import type { StoredPolicy } from '../domain/policy.ts';
import type { SignIn } from '../domain/sign-in.ts';

/** The directory's documents. The ids say whose they are; see collections.ts. */
export interface Records {
  readonly people: Collection<Stored<Person>>;
  readonly accounts: Collection<Stored<Account>>;
  readonly addresses: Collection<Stored<AddressClaim>>;
  readonly signIns: Collection<Stored<SignIn>>;
  readonly attempts: Collection<Stored<Attempts>>;
  readonly guards: Collection<Stored<Administrators>>;
  readonly photos: Collection<Stored<Photo>>;
  readonly externalIds: Collection<Stored<ExternalIdClaim>>;
  readonly groups: Collection<Stored<Group>>;
  readonly memberships: Collection<Stored<Membership>>;
  readonly policies: Collection<Stored<StoredPolicy>>;
  /** The store's own time, milliseconds since 1970-01-01 UTC. */
  storeNow(): Promise<number>;
}

export type Stored<T> = T & Doc;
