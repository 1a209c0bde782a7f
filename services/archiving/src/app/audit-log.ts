import type { Clock, Ids, Module } from '@parley/runtime';
import {
  AUDIT_CHAIN,
  AUDIT_GENESIS,
  type AuditAction,
  type AuditEntry,
  auditCheckpoint,
  auditHash,
  type Party,
  type Purpose,
} from '../domain/audit-entry.ts';
import { type SignedCheckpoint, signedBytes } from '../domain/checkpoint.ts';
import { chainId } from '../domain/place.ts';
import { archivingErrors } from '../errors.ts';
import type { Telemetry } from '../events.ts';
import type { AuditStore, SignedEntry } from '../ports/audit-store.ts';
import type { CheckpointCopy } from '../ports/checkpoint-copy.ts';
import type { CheckpointSigner } from '../ports/checkpoint-signer.ts';

/** Times that another replica may take the number this one wanted. */
const ATTEMPTS = 100;

export interface AuditLogDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly audit: AuditStore;
  readonly copy: CheckpointCopy;
  readonly signer: CheckpointSigner;
  readonly telemetry: Telemetry;
}

/** What is written down. */
export interface AuditDraft {
  readonly person: Party;
  readonly peer: string;
  readonly action: AuditAction;
  readonly purpose: Purpose;
  readonly detail: object;
  readonly outcome: object;
}

/**
 * The audit log: a chain without gaps. Every entry is signed with what came before it, and the signed statement stands in
 * the second place before anything is answered, so that not even the last entry can be cut off unseen.
 */
export class AuditLog implements Module {
  readonly name = 'archiving.audit';
  readonly #deps: AuditLogDeps;
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: AuditLogDeps) {
    this.#deps = deps;
  }

  /** A crash may have left the last entry in the database only. */
  async start(): Promise<void> {
    const { audit, copy, signer, telemetry } = this.#deps;
    try {
      const [last, stated] = await Promise.all([audit.last(), copy.last(chainId(AUDIT_CHAIN))]);
      if (stated && stated.next > (last?.number ?? 0) + 1) telemetry.auditDiffers(last?.number ?? 0, stated.next - 1);
      else if (last && (stated?.next ?? 0) <= last.number && isSigned(signer, last))
        await copy.append(...statement(last));
    } catch (cause) {
      telemetry.auditFailed(cause);
    }
  }

  async stop(): Promise<void> {
    await this.#last.catch(() => undefined);
  }

  /** Durable, here and in the second place, when it resolves; throws `archive.audit_unavailable` otherwise. */
  write(draft: AuditDraft): Promise<AuditEntry> {
    const { telemetry } = this.#deps;
    const written = this.#last.then(() => this.#append(draft));
    this.#last = written.catch(() => undefined);
    return written.catch((cause: unknown) => {
      telemetry.auditFailed(cause);
      throw archivingErrors('archive.audit_unavailable', { retryAfterMs: 1_000, cause });
    });
  }

  async #append({ person, peer, action, purpose, detail, outcome }: AuditDraft): Promise<AuditEntry> {
    const { audit, clock, copy, ids, signer, telemetry } = this.#deps;
    const auditId = ids.opaque();
    const facts = { person, peer, action, purpose, detailJson: JSON.stringify(detail) };
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const last = await audit.last();
      // Times never run backwards in the log, whatever the clocks of replicas do.
      const atMs = Math.max(clock.now(), last?.atMs ?? 0);
      const unhashed = {
        ...{ ...facts, number: (last?.number ?? 0) + 1, auditId, atMs },
        outcomeJson: JSON.stringify(outcome),
      };
      const entry = { ...unhashed, hash: auditHash(last?.hash ?? AUDIT_GENESIS, unhashed) };
      const signature = Buffer.from(signer.sign(signedBytes(auditCheckpoint(entry)))).toString('base64url');
      const signed = { ...entry, keyId: signer.keyId, signature };
      if (!(await audit.insert(signed))) continue;
      await copy.append(...statement(signed));
      telemetry.audited(action, entry.number);
      return entry;
    }
    throw new Error('other replicas write to the audit log all the time');
  }
}

export const isSigned = (signer: CheckpointSigner, entry: SignedEntry): boolean =>
  signer.verify(entry.keyId, signedBytes(auditCheckpoint(entry)), Buffer.from(entry.signature, 'base64url'));

const statement = (entry: SignedEntry): [string, SignedCheckpoint] => [
  chainId(AUDIT_CHAIN),
  { ...auditCheckpoint(entry), keyId: entry.keyId, signature: entry.signature },
];
