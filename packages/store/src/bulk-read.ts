import type { CollectionSpec, Doc } from './store.ts';

/**
 * Reads whole collections, for exports and counts. No part of {@link Store}: services never read without an index. What
 * is read was stored when the reader was opened (SQLite: one snapshot of everything) or while it reads (MongoDB wire:
 * nobody may write meanwhile).
 */
export interface BulkReader {
  /**
   * Every document once, in no order, `_rev` included, in portions of about 4 MiB or 1,000 documents. Nothing for a
   * collection that does not exist.
   */
  read<T extends Doc>(spec: CollectionSpec<T>): AsyncGenerator<readonly T[], void, void>;
  /** Number of documents, counted no further than `cap`. */
  count(spec: CollectionSpec<Doc>, cap?: number): Promise<number>;
  close(): Promise<void>;
}

/** Most documents of a portion. */
export const PORTION_DOCUMENTS = 1_000;
/** Bytes after which a portion is closed; it holds at least one document. */
export const PORTION_BYTES = 4 * 1024 * 1024;
