import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '@parley/runtime';
import type { ArchivingConfig } from '../config.ts';
import { AUDIT_CHAIN, AUDIT_GENESIS, auditHash } from '../domain/audit-entry.ts';
import { type SignedCheckpoint, signedBytes } from '../domain/checkpoint.ts';
import { chainId } from '../domain/place.ts';
import type { AuditStore } from '../ports/audit-store.ts';
import type { CheckpointCopy } from '../ports/checkpoint-copy.ts';
import type { CheckpointSigner } from '../ports/checkpoint-signer.ts';
import { isSigned } from './audit-log.ts';

const PAGE = 500;
const MOST_FINDINGS = 100;

export interface VerifyEntriesDeps {
  readonly clock: Clock;
  readonly audit: AuditStore;
  readonly copy: CheckpointCopy;
  readonly signer: CheckpointSigner;
  readonly settings: Pick<ArchivingConfig, 'copyGraceMs'>;
}

export interface AuditVerdict {
  readonly intact: boolean;
  readonly entries: number;
  readonly checkpointed: number;
  readonly findings: readonly string[];
}

/** `pause` is awaited after each page. */
export type VerifyEntries = (signal: AbortSignal, pause?: () => Promise<void>) => Promise<AuditVerdict>;

/** Checks the audit log: numbers, hashes, signatures, and the statements in the second place. */
export function createVerifyEntries(deps: VerifyEntriesDeps): VerifyEntries {
  const { audit, clock, copy, signer, settings } = deps;

  return async (signal, pause) => {
    const findings: string[] = [];
    let wrong = 0;
    const report = (finding: string) => ++wrong <= MOST_FINDINGS && findings.push(finding);
    const youngerThanMs = clock.now() - settings.copyGraceMs;

    async function walkEntries() {
      let [entries, number, hash, settled] = [0, 0, AUDIT_GENESIS, 0];
      for (;;) {
        const page = await audit.page(number, PAGE);
        for (const entry of page) {
          const missing = entry.number - number - 1;
          if (missing > 0) report(`${missing} missing before entry ${entry.number}`);
          else if (auditHash(hash, entry) !== entry.hash)
            report(`entry ${entry.number} was changed, or does not follow from the one before`);
          if (!isSigned(signer, entry)) report(`entry ${entry.number} is not signed by a known key`);
          if (entry.atMs < youngerThanMs) settled = entry.number;
          ({ number, hash } = entry);
          entries++;
        }
        await turn();
        await pause?.();
        signal.throwIfAborted();
        if (page.length < PAGE) return { entries, settled };
      }
    }

    async function compare(stated: readonly SignedCheckpoint[]): Promise<number> {
      const numbers = stated.map(one => one.next - 1);
      const found = new Map((await audit.getMany([...new Set(numbers)])).map(entry => [entry.number, entry]));
      let furthest = 0;
      for (const one of stated) {
        const number = one.next - 1;
        const entry = found.get(number);
        if (!signer.verify(one.keyId, signedBytes(one), Buffer.from(one.signature, 'base64url')))
          report(`a statement about entry ${number} in the second place is not signed by a known key`);
        else if (!entry) report(`entry ${number} is missing; the second place states that it was there`);
        else if (entry.hash !== one.hash) report(`entry ${number} is not the one that the second place states`);
        else furthest = Math.max(furthest, number);
      }
      await turn();
      await pause?.();
      signal.throwIfAborted();
      return furthest;
    }

    const { entries, settled } = await walkEntries();
    let checkpointed = 0;
    let batch: SignedCheckpoint[] = [];
    for await (const one of copy.read(chainId(AUDIT_CHAIN))) {
      batch.push(one);
      if (batch.length < PAGE) continue;
      checkpointed = Math.max(checkpointed, await compare(batch));
      batch = [];
    }
    checkpointed = Math.max(checkpointed, await compare(batch));
    if (checkpointed < settled) report(`entries ${checkpointed + 1} to ${settled} are not stated in the second place`);
    return { intact: wrong === 0, entries, checkpointed: Math.min(entries, checkpointed), findings };
  };
}
