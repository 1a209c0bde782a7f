import type { Claim } from './address-claim.ts';
import { keyOf } from './fold.ts';

/** Says who is known by a key of another system. */
export interface ExternalIdClaim extends Claim {
  readonly externalId: string;
}

export const maxExternalId = 128;

export function externalIdKey(externalId: string): string {
  return keyOf(externalId);
}
