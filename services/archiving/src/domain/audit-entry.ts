import { hash } from 'node:crypto';
import type { Checkpoint } from './checkpoint.ts';

/** Somebody as he was when something was written down. */
export interface Party {
  readonly id: string;
  readonly address: string;
  readonly displayName: string;
}

export interface Purpose {
  readonly caseId: string;
  readonly reason: string;
}

export type AuditAction = 'search' | 'view' | 'locate' | 'export' | 'export_done' | 'verify';

/** Something somebody did with the archive. */
export interface AuditEntry {
  /** From 1, without gaps. */
  readonly number: number;
  readonly auditId: string;
  readonly atMs: number;
  readonly person: Party;
  readonly action: string;
  readonly purpose: Purpose;
  readonly detailJson: string;
  readonly outcomeJson: string;
  readonly peer: string;
  /** Lower-case hexadecimal. */
  readonly hash: string;
}

export type UnhashedEntry = Omit<AuditEntry, 'hash'>;

/** Name of the chain, as checkpoints give it; no log has this epoch. */
export const AUDIT_CHAIN = { epoch: 0, topic: 'audit', partition: 0 } as const;

export const AUDIT_GENESIS = hash('sha256', 'parley.archive.audit.genesis.1', 'hex');

/** SHA-256 of the hash before and all facts, one JSON array, so that no fact can pass for another. */
export function auditHash(previous: string, entry: UnhashedEntry): string {
  const { number, auditId, atMs, person, action, purpose, detailJson, outcomeJson, peer } = entry;
  const facts = [
    ...[previous, number, auditId, atMs, person.id, person.address, person.displayName, action],
    ...[purpose.caseId, purpose.reason, detailJson, outcomeJson, peer],
  ];
  return hash('sha256', `parley.archive.audit.1\n${JSON.stringify(facts)}`, 'hex');
}

/** The statement that is signed for every entry: how long the chain was and how it ended. */
export const auditCheckpoint = (entry: Pick<AuditEntry, 'number' | 'hash' | 'atMs'>): Checkpoint => ({
  ...AUDIT_CHAIN,
  first: 1,
  next: entry.number + 1,
  hash: entry.hash,
  atMs: entry.atMs,
});
