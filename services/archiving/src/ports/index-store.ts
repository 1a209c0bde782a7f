import type { IndexBlock, SealedBlock } from '../domain/index-block.ts';

/** A block as it is stored. */
export interface StoredBlock {
  readonly block: IndexBlock;
  readonly revision: number;
}

/** How far a chain is indexed, and who does it. */
export interface IndexPosition {
  readonly chain: string;
  /** Offset of the next link to be indexed. */
  readonly next: number;
  /** Blocks that may still be added to. */
  readonly open: readonly { readonly topMs: number; readonly id: string }[];
  /** Replica that indexes the chain until then. */
  readonly by: string;
  readonly untilMs: number;
  readonly revision: number;
}

/** Somebody was archived under this address. */
export interface ArchivedName {
  readonly personId: string;
  readonly address: string;
}

export interface BlockPage {
  readonly blocks: readonly SealedBlock[];
  /** Undefined when this was the last. */
  readonly next: string | undefined;
}

/** The index of contents. Made of the archive and can be made again. */
export interface IndexStore {
  get(id: string): Promise<StoredBlock | undefined>;
  /** False when there is one with its id. */
  insert(block: IndexBlock): Promise<boolean>;
  /** False when it was changed since, or is gone. */
  replace(block: IndexBlock, revision: number): Promise<boolean>;
  /**
   * Blocks of a day (days since 1970-01-01 UTC) whose records hold all tokens between them, in order of the end of their
   * slots, newest first. Without tokens: all. `after` is the `next` of a page for the same day and tokens.
   */
  day(day: number, tokens: readonly string[], limit: number, after: string | undefined): Promise<BlockPage>;
  /** The newest day before `day` that has a block. */
  dayBefore(day: number): Promise<number | undefined>;
  /** The oldest day from `day` on that has a block. */
  dayFrom(day: number): Promise<number | undefined>;
  /** Remembers that people were archived under addresses, in the form in which addresses are compared. */
  addNames(names: readonly ArchivedName[]): Promise<void>;
  /** Ids that were archived under an address. */
  idsOf(address: string): Promise<readonly string[]>;
  /** Whether anything was archived for this id under any address. */
  isKnown(personId: string): Promise<boolean>;
  position(chain: string): Promise<IndexPosition | undefined>;
  /** Puts a position in place of the one with its revision, 0 for none; undefined when somebody was faster. */
  move(position: IndexPosition): Promise<IndexPosition | undefined>;
}
