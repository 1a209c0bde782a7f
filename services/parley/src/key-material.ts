import { join, resolve } from 'node:path';
import { createCheckpointCopy, createCheckpointSigner } from '@parley/archiving-service';
import { createKeyRing, createPersonTokenSigner, type KeyRing } from '@parley/auth';
import type { Clock } from '@parley/runtime';
import type { ParleyConfig } from './config.ts';
import type { Keys } from './keys.ts';

/** Issuer of access tokens (`iss`). */
export const TOKEN_ISSUER = 'parley';

/** The keys that sign person tokens; follows their files. */
export function personKeyRing(keys: Keys, clock: Clock): KeyRing {
  const ring = createKeyRing({ pems: keys.personTokens(), clock });
  keys.onChange(() => ring.replace(keys.personTokens()));
  return ring;
}

/** What directory signs with. */
export function directoryKeys(keys: Keys, config: ParleyConfig, { clock }: { readonly clock: Clock }) {
  const keyRing = personKeyRing(keys, clock);
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

/** What archiving signs its checkpoints with, and the second place it keeps them in. */
export function archivingKeys(keys: Keys, config: ParleyConfig) {
  return {
    checkpointSigner: createCheckpointSigner(() => keys.checkpoint()),
    checkpointCopy: createCheckpointCopy(checkpointDir(config)),
    auditCopy: createCheckpointCopy(join(checkpointDir(config), 'audit')),
  };
}

/** The second place of the archive's checkpoints. */
export const checkpointDir = (config: ParleyConfig): string =>
  config.checkpointCopyDir === '' ? join(config.dataDir, 'checkpoints') : resolve(config.checkpointCopyDir);
