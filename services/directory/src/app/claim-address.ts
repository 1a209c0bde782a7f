import type { Clock } from '@parley/runtime';
import type { Collection } from '@parley/store';
import { type Claim, claimId, decideClaim } from '../domain/address-claim.ts';
import { externalIdKey } from '../domain/external-id.ts';
import { ownsAddress, type Person } from '../domain/person.ts';
import { directoryErrors as err } from '../errors.ts';
import type { DirectoryEvents } from '../events.ts';
import type { Records, Stored } from '../ports/records.ts';
import { maxTries, revisionOf } from './update.ts';

export interface ClaimNeeds extends Pick<Records, 'addresses' | 'people'> {
  readonly clock: Clock;
  readonly claimTakeoverMs: number;
  readonly events: Pick<DirectoryEvents, 'addressTakenOver'>;
}

/** Makes the address this person's, or refuses. Repeating it changes nothing. */
export function claimAddress(needs: ClaimNeeds, address: string, personId: string, field: string): Promise<void> {
  const claim = { _id: claimId(address), v: 1 as const, address, personId, claimedMs: needs.clock.now() };
  const isOwner = (owner: Person) => ownsAddress(owner, address);
  return insertClaim(needs, needs.addresses, claim, isOwner, () => err('directory.address_taken', { field }));
}

/** Makes this person the one known by the key of another system, or refuses. */
export function claimExternalId(
  needs: ClaimNeeds & Pick<Records, 'externalIds'>,
  externalId: string,
  personId: string,
  field: string,
): Promise<void> {
  const claim = { _id: externalIdKey(externalId), v: 1 as const, externalId, personId, claimedMs: needs.clock.now() };
  const isOwner = (owner: Person) => owner.externalId === externalId;
  const refusal = () => err('directory.external_id_conflict', { field });
  return insertClaim(needs, needs.externalIds, claim, isOwner, refusal);
}

async function insertClaim<C extends Claim>(
  needs: ClaimNeeds,
  claims: Collection<Stored<C>>,
  wanted: Stored<C>,
  isOwner: (person: Person) => boolean,
  refusal: () => Error,
): Promise<void> {
  const { personId } = wanted;
  for (let i = 0; i < maxTries; i++) {
    if ((await claims.insert(wanted)).inserted) return;
    const claim = await claims.get(wanted._id);
    if (!claim) continue;
    const owner = await needs.people.get(claim.personId);
    const owned = owner !== undefined && isOwner(owner);
    const decision = decideClaim(claim, owned, personId, needs.clock.now(), needs.claimTakeoverMs);
    if (decision.kind === 'held') return;
    if (decision.kind === 'taken') throw refusal();
    if ((await claims.replace(decision.next, revisionOf(claim))).replaced) {
      if (claim.personId !== personId) needs.events.addressTakenOver(personId, claim.personId);
      return;
    }
  }
  throw err('directory.busy');
}

/**
 * Between claim and use may pass only half the time after which others may take the claim over, so that a process that
 * was held up does not use an address that is another's by now.
 */
export function claimDeadline(needs: ClaimNeeds): () => void {
  const started = needs.clock.monotonic();
  return () => {
    if (needs.clock.monotonic() - started > needs.claimTakeoverMs / 2) throw err('directory.busy');
  };
}
