import type { KeyRing, PersonTokenSigner } from '@parley/auth';
import type { AccessTokens } from '../../ports/access-tokens.ts';
import { roleValues } from '../../ports/role-values.ts';

export function createAccessTokens(signer: PersonTokenSigner, ring: Pick<KeyRing, 'jwksJson'>): AccessTokens {
  return {
    issue: ({ personId, signInId, roles, passwordChangeRequired }) =>
      signer.sign({ personId, signInId, roles: roles.map(role => roleValues[role]), passwordChangeRequired }),
    keySetJson: () => ring.jwksJson(),
  };
}
