import type { EventStore, StoredEvent } from '../ports/event-store.ts';
import type { ArchiveGate } from './archive-gate.ts';

export interface RelayDeps {
  readonly events: EventStore;
  readonly gate: Pick<ArchiveGate, 'appendAll'>;
  readonly batch: number;
}

/** What one look brought: how many were relayed, and whether to look again at once. */
export interface RelayResult {
  readonly relayed: number;
  readonly more: boolean;
}

/**
 * Brings stored messages that the archive log lacks into it: append, then clear the mark by compare-and-set. Every
 * replica does so; what two append is a duplicate, which archiving recognises, and only one clears the mark.
 */
export function createRelayPending(deps: RelayDeps): () => Promise<RelayResult> {
  const { events, gate, batch } = deps;
  return async () => {
    const waiting = await events.pending(batch);
    const entries = waiting.flatMap(({ conversationId, pending }) =>
      pending ? [{ conversationId, record: pending.record }] : [],
    );
    if (!(await gate.appendAll(entries))) return { relayed: 0, more: false };
    const cleared = await Promise.all(waiting.map(event => events.replace(withoutMark(event))));
    const relayed = cleared.filter(Boolean).length;
    return { relayed, more: relayed > 0 && waiting.length === batch };
  };
}

function withoutMark(event: StoredEvent): StoredEvent {
  const { pending: _, ...rest } = event;
  return rest;
}
