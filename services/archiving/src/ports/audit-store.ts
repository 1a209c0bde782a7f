import type { AuditEntry } from '../domain/audit-entry.ts';

/** An entry with the signature of the statement about it. */
export interface SignedEntry extends AuditEntry {
  readonly keyId: string;
  /** Ed25519, base64url. */
  readonly signature: string;
}

export interface AuditQuery {
  readonly caseId?: string;
  readonly personId?: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly limit: number;
  readonly after: string | undefined;
}

/** The audit log: entries are inserted once and never changed. */
export interface AuditStore {
  /** False when there is one with its number. */
  insert(entry: SignedEntry): Promise<boolean>;
  last(): Promise<SignedEntry | undefined>;
  /** Entries with numbers above `after`, in order. */
  page(after: number, limit: number): Promise<readonly SignedEntry[]>;
  /** In no order; at most 1,000. */
  getMany(numbers: readonly number[]): Promise<readonly SignedEntry[]>;
  /** Newest first. Undefined when `after` belongs to another query. */
  list(
    query: AuditQuery,
  ): Promise<{ readonly entries: readonly SignedEntry[]; readonly next: string | undefined } | undefined>;
}
