/** Where a record stands in the log. */
export interface Position {
  readonly partition: number;
  readonly offset: number;
}

/** What became of an append. `unknown`: the record may be in the log, now or later. */
export type AppendOutcome =
  | { readonly kind: 'appended'; readonly position: Position }
  | { readonly kind: 'failed'; readonly outcome: 'refused' | 'unknown'; readonly cause: unknown };

export interface ArchiveEntry {
  readonly conversationId: string;
  readonly record: Uint8Array;
  readonly traceparent?: string | undefined;
}

/** The log that archiving reads. */
export interface ArchiveLog {
  append(entry: ArchiveEntry): Promise<AppendOutcome>;
  /** All or none is known to be there. */
  appendAll(entries: readonly ArchiveEntry[]): Promise<'appended' | 'failed'>;
  /** How far archiving is, of every partition. */
  progress(): Promise<readonly { low: number; high: number; committed: number | undefined }[]>;
}
