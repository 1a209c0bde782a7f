import type { CollectionSpec, Doc } from '@parley/store';

/** One link of a chain: what stood at one offset of the log. Never changed. `_id` is the place. */
export interface LinkDoc extends Doc {
  readonly v: number;
  /** Id of the record; empty when it could not be read. */
  readonly record: string;
  /** Number of the state (RecordState). */
  readonly state: number;
  /** Id of the content, when it is not the record's. */
  readonly content?: string;
  /** SHA-256 of the raw bytes, then the link's own hash: 64 bytes. */
  readonly hashes: Uint8Array;
}

/**
 * The raw bytes of a record, with what searches need. Indexes of people and time come with search: the
 * one measured costs a quarter of archiving, and a migration fills it from these fields.
 */
export interface ContentDoc extends Doc {
  readonly v: number;
  /** Place of the link it was first archived for. */
  readonly place: string;
  readonly raw: Uint8Array;
  readonly conv?: string;
  readonly people?: readonly string[];
  readonly accepted?: number;
  /** When it was parked. */
  readonly parked?: number;
  /** Place of the record that says it was not accepted; absent when it was. */
  readonly denied?: string;
}

/** A signed statement of how long a chain was and how it ended. `_id` is chain and next offset. */
export interface CheckpointDoc extends Doc {
  readonly v: number;
  readonly epoch: number;
  readonly topic: string;
  readonly partition: number;
  readonly first: number;
  readonly next: number;
  readonly hash: string;
  readonly at: number;
  readonly keyId: string;
  readonly signature: string;
}

export const archiveLinks: CollectionSpec<LinkDoc> = {
  name: 'archive_links',
  indexes: { place: { kind: 'ordered', fields: ['_id'] } },
};

export const archiveContents: CollectionSpec<ContentDoc> = {
  name: 'archive_contents',
  indexes: {
    parked: { kind: 'ordered', fields: ['parked'], sparse: true },
  },
};

export const archiveCheckpoints: CollectionSpec<CheckpointDoc> = {
  name: 'archive_checkpoints',
  indexes: { place: { kind: 'ordered', fields: ['_id'] } },
};

export const archivingCollections: readonly CollectionSpec<Doc>[] = [
  archiveLinks as CollectionSpec<Doc>,
  archiveContents as CollectionSpec<Doc>,
  archiveCheckpoints as CollectionSpec<Doc>,
];
