import type { Clock } from '@parley/runtime';
import { claimId, decideClaim } from '../domain/address-claim.ts';
import { directoryErrors as err } from '../errors.ts';
import type { DirectoryEvents } from '../events.ts';
import type { Records } from '../ports/records.ts';
import { maxTries, revisionOf } from './update.ts';

export interface ClaimNeeds extends Pick<Records, 'addresses' | 'people'> {
  readonly clock: Clock;
  readonly claimTakeoverMs: number;
  readonly events: Pick<DirectoryEvents, 'addressTakenOver'>;
}

/** Makes the address this person's, or refuses. Repeating it changes nothing. */
export async function claimAddress(needs: ClaimNeeds, address: string, personId: string, field: string): Promise<void> {
  const _id = claimId(address);
  for (let i = 0; i < maxTries; i++) {
    const now = needs.clock.now();
    const result = await needs.addresses.insert({ _id, v: 1, address, personId, claimedMs: now });
    if (result.inserted) return;
    const claim = await needs.addresses.get(_id);
    if (!claim) continue;
    const owner = await needs.people.get(claim.personId);
    const decision = decideClaim(claim, owner, personId, now, needs.claimTakeoverMs);
    if (decision.kind === 'held') return;
    if (decision.kind === 'taken') throw err('directory.address_taken', { field });
    if ((await needs.addresses.replace(decision.next, revisionOf(claim))).replaced) {
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
