import { createKeyRing, createPersonTokenSigner } from '@parley/auth';
import type { Clock } from '@parley/runtime';
import type { ParleyConfig } from './config.ts';
import type { Keys } from './keys.ts';

/** Issuer of access tokens (`iss`). */
export const TOKEN_ISSUER = 'parley';

/** What directory signs with. */
export function directoryKeys(keys: Keys, config: ParleyConfig, { clock }: { readonly clock: Clock }) {
  const keyRing = createKeyRing({ pems: keys.personTokenPems(), clock });
  return {
    keyRing,
    signer: createPersonTokenSigner(keyRing, {
      issuer: TOKEN_ISSUER,
      clock,
      lifetimeMs: config.directory.accessTokenLifetimeMs,
    }),
    refreshKey: keys.refreshKey(),
  };
}
