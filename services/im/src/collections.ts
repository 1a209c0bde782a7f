import type { CollectionSpec, Doc } from '@parley/store';

/**
 * An event of a conversation. Immutable but for the archive's bookkeeping and a key that came too late. One without
 * conversation and recipients stands for a send that was refused although the log may hold it; its key is the time until
 * which it is kept.
 */
export interface EventDoc extends Doc {
  /** Version of this shape. */
  readonly v: number;
  readonly conv: string;
  readonly key: string;
  readonly recipients: readonly string[];
  /** The encoded event; it holds all that is in no index. */
  readonly payload: Uint8Array;
  /** When it was accepted, for as long as the archive log lacks it. */
  readonly archivePending?: number;
  readonly pendingRecord?: Uint8Array;
}

export const imEvents: CollectionSpec<EventDoc> = {
  name: 'im_events',
  indexes: {
    conversation: { kind: 'ordered', fields: ['conv', 'key'] },
    inbox: { kind: 'ordered', fields: ['recipients', 'key'], array: 'recipients' },
    pending: { kind: 'ordered', fields: ['archivePending'], sparse: true },
  },
  clusterBy: 'conversation',
};

export const imCollections: readonly CollectionSpec<Doc>[] = [imEvents as CollectionSpec<Doc>];
