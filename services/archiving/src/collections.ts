import type { CollectionSpec, Doc } from '@parley/store';
import type { ParkReason } from './domain/record.ts';

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

/** The raw bytes of a record, with what it is filed under. Searches go through the index, which is made of these. */
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
  /** Why it was parked. */
  readonly why?: ParkReason;
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

/** Up to 256 records of one chain and ten minutes, and which words, people and conversations stand in which of them. */
export interface IndexBlockDoc extends Doc {
  readonly v: number;
  /** Days since 1970-01-01 UTC. */
  readonly day: number;
  /** End of the ten minutes. */
  readonly top: number;
  /** Offset beyond the last record. */
  readonly to: number;
  readonly words: readonly string[];
  /** Offsets, times and postings, see `encodeBlock`. */
  readonly data: Uint8Array;
}

/** Somebody was archived under this address. `_id` is a hash of both. */
export interface NameDoc extends Doc {
  readonly v: number;
  readonly person: string;
  readonly address: string;
}

/** How far a chain is indexed. `_id` is the chain. */
export interface IndexPositionDoc extends Doc {
  readonly v: number;
  readonly next: number;
  readonly open: readonly { readonly top: number; readonly id: string }[];
  readonly by: string;
  readonly until: number;
}

/** When everything is verified by itself again, and who does it. One document. */
export interface VerificationDoc extends Doc {
  readonly v: number;
  readonly due: number;
  readonly by: string;
  readonly until: number;
  /** How the last one that ran to its end ended. */
  readonly last?: { readonly at: number; readonly intact: boolean; readonly links: number; readonly findings: number };
}

/** Something somebody did with the archive. `_id` is its number, padded. Never changed. */
export interface AuditDoc extends Doc {
  readonly v: number;
  readonly auditId: string;
  readonly at: number;
  readonly person: string;
  readonly address: string;
  readonly name: string;
  readonly action: string;
  readonly case: string;
  readonly reason: string;
  readonly detail: string;
  readonly outcome: string;
  readonly peer: string;
  readonly hash: string;
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

export const archiveIndex: CollectionSpec<IndexBlockDoc> = {
  name: 'archive_index',
  indexes: {
    words: { kind: 'tokens', field: 'words', scope: 'day', newest: 'top' },
    days: { kind: 'ordered', fields: ['day', 'top'] },
  },
};

export const archiveIndexPositions: CollectionSpec<IndexPositionDoc> = {
  name: 'archive_index_positions',
  indexes: {},
};

export const archiveNames: CollectionSpec<NameDoc> = {
  name: 'archive_names',
  indexes: {
    address: { kind: 'ordered', fields: ['address'] },
    person: { kind: 'ordered', fields: ['person'] },
  },
};

export const archiveVerifications: CollectionSpec<VerificationDoc> = {
  name: 'archive_verifications',
  indexes: {},
};

export const archiveAudit: CollectionSpec<AuditDoc> = {
  name: 'archive_audit',
  indexes: {
    number: { kind: 'ordered', fields: ['_id'] },
    time: { kind: 'ordered', fields: ['at'] },
    case: { kind: 'ordered', fields: ['case', 'at'] },
    person: { kind: 'ordered', fields: ['person', 'at'] },
  },
};

export const archivingCollections: readonly CollectionSpec<Doc>[] = [
  archiveLinks as CollectionSpec<Doc>,
  archiveContents as CollectionSpec<Doc>,
  archiveCheckpoints as CollectionSpec<Doc>,
  archiveIndex as CollectionSpec<Doc>,
  archiveIndexPositions as CollectionSpec<Doc>,
  archiveNames as CollectionSpec<Doc>,
  archiveVerifications as CollectionSpec<Doc>,
  archiveAudit as CollectionSpec<Doc>,
];
