import type { Event } from '../domain/event.ts';
import type { Telemetry } from '../events.ts';
import type { Codec } from '../ports/codec.ts';
import type { EventStore, Refusal, StoredEvent } from '../ports/event-store.ts';
import type { FreshKey, KeySource } from './key-source.ts';
import type { StoreClock } from './store-clock.ts';

export interface PersistDeps {
  readonly events: EventStore;
  readonly codec: Codec;
  readonly keys: KeySource;
  readonly time: Pick<StoreClock, 'nowMs'>;
  readonly keyVisibleMs: number;
  readonly telemetry: Telemetry;
}

/** An event on its way into the store. */
export interface Draft {
  readonly event: Event;
  readonly payload: Uint8Array;
  readonly madeMs: number;
  readonly pendingRecord?: Uint8Array | undefined;
  /** The refusal of an earlier try, whose place it takes. */
  readonly over?: Refusal | undefined;
}

export type PersistOutcome =
  | { readonly kind: 'stored'; readonly event: Event; readonly payload: Uint8Array }
  | { readonly kind: 'exists'; readonly event: StoredEvent }
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed'; readonly outcome: 'not-applied' | 'unknown'; readonly cause: unknown };

export type PersistEvent = (draft: Draft) => Promise<PersistOutcome>;

/**
 * Stores an event so that it is visible within `keyVisibleMs` of the making of its key: readers rely on nothing
 * appearing far behind them. A draft that waited too long (the log was slow) gets a new key before it is written; one
 * that was written too late (the store was slow) gets one afterwards, by compare-and-set.
 */
export function createPersistEvent(deps: PersistDeps): PersistEvent {
  const { events, codec, keys, time, keyVisibleMs, telemetry } = deps;

  function rekey(draft: Draft): Draft {
    const fresh: FreshKey = keys.next(draft.event.key);
    const event = { ...draft.event, key: fresh.key };
    telemetry.rekeyed(event.id);
    return { ...draft, event, payload: codec.event(event), madeMs: fresh.madeMs };
  }

  async function moveUp(written: Draft, firstRevision: number): Promise<Draft> {
    let draft = written;
    for (let revision = firstRevision; time.nowMs() - draft.madeMs > keyVisibleMs; revision++) {
      const next = rekey(draft);
      // Somebody else changed it (the relay cleared its mark, a repetition pinned it): he read it, so it was visible
      // to him in time.
      if (!(await events.replace({ ...toStored(next), revision }))) return draft;
      draft = next;
    }
    return draft;
  }

  return async first => {
    const draft = time.nowMs() - first.madeMs > keyVisibleMs / 2 ? rekey(first) : first;
    const outcome = await events.insert(toStored(draft), draft.over);
    if (outcome.kind !== 'inserted') return outcome;
    try {
      const visible = time.nowMs() - draft.madeMs > keyVisibleMs ? await moveUp(draft, outcome.revision) : draft;
      return { kind: 'stored', event: visible.event, payload: visible.payload };
    } catch (cause) {
      // It is stored; which key it has is not known.
      return { kind: 'failed', outcome: 'unknown', cause };
    }
  };
}

function toStored(draft: Draft): StoredEvent {
  const { event } = draft;
  const stored: StoredEvent = {
    id: event.id,
    conversationId: event.conversationId,
    key: event.key,
    recipientIds: event.recipientIds,
    payload: draft.payload,
  };
  return draft.pendingRecord
    ? { ...stored, pending: { record: draft.pendingRecord, sinceMs: event.acceptedMs } }
    : stored;
}
