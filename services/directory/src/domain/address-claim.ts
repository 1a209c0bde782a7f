import { createHash } from 'node:crypto';

/** Says whose something is. Once its person owns up to it, it is never given to somebody else. */
export interface Claim {
  readonly v: 1;
  readonly personId: string;
  readonly claimedMs: number;
}

export interface AddressClaim extends Claim {
  readonly address: string;
}

/** The address itself where it is short enough for an id, else a hash of it, which cannot be an address. */
export function claimId(address: string): string {
  if (Buffer.byteLength(address) <= 200) return address;
  return createHash('sha256').update(address).digest('base64url');
}

export type ClaimDecision<C> =
  | { readonly kind: 'held' }
  | { readonly kind: 'taken' }
  /** The claim is put in place of the present one. */
  | { readonly kind: 'store'; readonly next: C };

/**
 * What becomes of a claim that stands already. `owned` says that the person it names owns up to it. One that was never
 * made use of may be taken over; whoever made it renews it before he goes on.
 */
export function decideClaim<C extends Claim>(
  claim: C,
  owned: boolean,
  personId: string,
  now: number,
  takeoverMs: number,
): ClaimDecision<C> {
  if (owned) return { kind: claim.personId === personId ? 'held' : 'taken' };
  if (claim.personId !== personId && now - claim.claimedMs < takeoverMs) return { kind: 'taken' };
  return { kind: 'store', next: { ...claim, personId, claimedMs: now } };
}
