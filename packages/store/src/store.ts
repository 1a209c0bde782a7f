/** A value inside a document. Numbers are doubles; integers are exact to 2^53. */
export type Value =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [field: string]: Value | undefined };

/**
 * A stored document. `_id` is chosen by the caller: 1 to 256 bytes, no NUL. `_rev` is kept by the store: 1 after
 * insert, one more with every replace.
 */
export interface Doc {
  readonly _id: string;
  readonly _rev?: number;
}

/**
 * Index of a collection. Fields are top-level names holding strings (at most 1,024 bytes), numbers, booleans or null;
 * beside null, one field holds values of one type. Strings sort by their UTF-8 bytes, numbers by value; null and
 * missing are equal and sort first. `sparse` leaves out documents in which the FIRST field is null or missing.
 *
 * At most one field may hold an array (1,000 elements, none of them null); it is named by `array`. The document then
 * stands under each element (under none when the array is empty), and every read of the index gives that field's value
 * in `equals`. For uniqueness of elements insert one document per element.
 */
export type IndexSpec =
  /** Ordered by the fields, then by `_id`. */
  | { readonly kind: 'ordered'; readonly fields: readonly string[]; readonly sparse?: boolean; readonly array?: string }
  /** As ordered, and no two documents may have equal values in all fields (with sparse: among those indexed). */
  | { readonly kind: 'unique'; readonly fields: readonly string[]; readonly sparse?: boolean }
  /**
   * The field holds milliseconds since 1970-01-01 UTC; some time after it, the document is removed. Garbage collection
   * only: readers must look at the time themselves.
   */
  | { readonly kind: 'expiring'; readonly field: string }
  /** The field holds an array of words; `scan` with `equals: [scope]` and `words` finds documents with all of them, newest first. */
  | { readonly kind: 'tokens'; readonly field: string; readonly scope: string; readonly newest: string };

/** Declares a collection. The type parameter is its document. */
export interface CollectionSpec<T extends Doc> {
  /** `[a-z][a-z0-9_]{0,62}`, unique within a service's database; prefixed by the service (`im_events`). */
  readonly name: string;
  readonly indexes: Readonly<Record<string, IndexSpec>>;
  /**
   * Name of an ordered or unique index without array fields in whose order documents are kept together on disk, so that
   * a range of it is read from few pages. A hint: adapters without clustering ignore it.
   */
  readonly clusterBy?: string;
  /** Only there to carry the type. */
  readonly example?: T;
}

/** What became of an insert. */
export type InsertResult =
  | { readonly inserted: true }
  /** Nothing was changed: another document has the same value. `index` is `_id` or the name of a unique index. */
  | { readonly inserted: false; readonly index: string; readonly existingId: string };

/** What became of a replace. */
export type ReplaceResult =
  | { readonly replaced: true; readonly revision: number }
  | { readonly replaced: false; readonly reason: 'missing' | 'revision' }
  | { readonly replaced: false; readonly reason: 'duplicate'; readonly index: string; readonly existingId: string };

/** What to read of an index. */
export interface ScanQuery {
  /** Values of the leading fields, in order; may be empty. */
  readonly equals?: readonly Value[];
  /** Bounds of the field after those in `equals`, not null; only values of the bound's type are within. */
  readonly range?: { readonly gt?: Value; readonly gte?: Value; readonly lt?: Value; readonly lte?: Value };
  /** For a tokens index: all of these must be in the document. */
  readonly words?: readonly string[];
  /** Default `asc`. */
  readonly order?: 'asc' | 'desc';
  /** 1 to 10,000. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string;
}

/** A page of a scan. */
export interface Page<T> {
  readonly docs: readonly T[];
  /** Where the next page begins; undefined when this was the last. Opaque, bound to index, equals and order. */
  readonly next: string | undefined;
}

/**
 * Documents of one kind. Every read names an index, so nothing scans by accident. A failed call throws `StoreError`;
 * its `outcome` says whether the write may have happened. A resolved write is durable.
 * Documents are at most 4 MiB encoded; unknown fields of a document survive a replace that spreads it.
 */
export interface Collection<T extends Doc> {
  get(id: string): Promise<T | undefined>;
  /** In no order; at most 1,000 ids. */
  getMany(ids: readonly string[]): Promise<readonly T[]>;
  insert(doc: T): Promise<InsertResult>;
  /** Each on its own: one duplicate does not stop the others. Results in the order of `docs`, at most 10,000. */
  insertMany(docs: readonly T[]): Promise<readonly InsertResult[]>;
  /** Puts `doc` in place of the one with its `_id` if that has `expectedRevision`. */
  replace(doc: T, expectedRevision: number): Promise<ReplaceResult>;
  /** True when it was there (and had `expectedRevision`, when given). */
  delete(id: string, expectedRevision?: number): Promise<boolean>;
  /** How many were there. At most 10,000. */
  deleteMany(ids: readonly string[]): Promise<number>;
  scan(index: string, query: ScanQuery): Promise<Page<T>>;
  /** Counts documents, but no further than `cap`. */
  count(index: string, query: Pick<ScanQuery, 'equals' | 'range'>, cap: number): Promise<number>;
}

/** Thrown when the store cannot do its work. */
export interface StoreFailure extends Error {
  /** `not-applied`: nothing changed. `unknown`: a write may or may not have happened. */
  readonly outcome: 'not-applied' | 'unknown';
}

/** One service's database. */
export interface Store {
  collection<T extends Doc>(spec: CollectionSpec<T>): Collection<T>;
  /** Creates collections and indexes that are missing, changes nothing that is there. */
  migrate(specs: readonly CollectionSpec<Doc>[]): Promise<void>;
  /** The store's own time, milliseconds since 1970-01-01 UTC. */
  now(): Promise<number>;
  /** Whether calls are likely to work now. */
  readonly connected: boolean;
  close(): Promise<void>;
}
