import { setImmediate as turn } from 'node:timers/promises';
import { type Candidate, candidatesOf, conversationsOf, type SealedBlock, SLOT_MS } from '../domain/index-block.ts';
import { parsePlace } from '../domain/place.ts';
import { planOf, type RecordQuery } from '../domain/record-query.ts';
import type { IndexStore } from '../ports/index-store.ts';
import { byTime } from './read-records.ts';
import { isBeyond, slotsOfDay } from './walk-index.ts';

/** Where a record of a day stands, and in which conversation: its token, which others may share. */
export interface Ref extends Candidate {
  readonly conversation: string;
}

export interface DayRecordsDeps {
  readonly index: IndexStore;
  /** Refs held at once. */
  readonly most: number;
}

/** What an export reads: the query, and where each chain ended when it began. */
export interface Snapshot {
  readonly query: RecordQuery;
  readonly ends: ReadonlyMap<string, number>;
  readonly signal: AbortSignal;
}

/**
 * Records of a day that may be wanted, oldest first, in batches that each hold whole conversations (`conversation`) or
 * whole stretches of time (`time`). A day with more than can be held is gone through once a batch.
 */
export async function* recordsOfDay(
  { index, most }: DayRecordsDeps,
  { query, ends, signal }: Snapshot,
  day: number,
  by: 'conversation' | 'time',
): AsyncGenerator<readonly Ref[]> {
  const plan = planOf(query);

  /** Yields nothing from time to time, so that whoever waits can be told. */
  async function* pass(
    accept: (ref: Ref) => boolean,
    count?: (ref: Ref) => void,
  ): AsyncGenerator<readonly Ref[], readonly Ref[]> {
    const refs = new Map<string, Ref>();
    for await (const slot of slotsOfDay(index, plan, day)) {
      signal.throwIfAborted();
      if (isBeyond(slot, SLOT_MS, query)) continue;
      for (const block of slot.blocks) {
        const end = ends.get(parsePlace(block.id)?.chain ?? '') ?? 0;
        for (const ref of refsOf(block, candidatesOf(block, plan.groups))) {
          if (ref.timeMs < query.fromMs || ref.timeMs >= query.untilMs) continue;
          if ((parsePlace(ref.place)?.offset ?? 0) >= end) continue;
          count?.(ref);
          if (accept(ref)) refs.set(ref.place, ref);
        }
      }
      await turn();
      yield [];
    }
    return [...refs.values()].sort(byTime).reverse();
  }

  let total = 0;
  const slots = new Map<number, number>();
  const slotOf = (ref: Ref) => Math.floor(ref.timeMs / SLOT_MS);
  const first = yield* pass(
    () => total <= most,
    ref => {
      total++;
      slots.set(slotOf(ref), (slots.get(slotOf(ref)) ?? 0) + 1);
    },
  );
  if (total <= most) {
    if (first.length > 0) yield first;
    return;
  }
  if (by === 'conversation') {
    const passes = Math.ceil(total / most);
    for (let i = 0; i < passes; i++) yield yield* pass(ref => bucketOf(ref.conversation, passes) === i);
    return;
  }
  for (const [from, to] of windows(
    [...slots].sort(([a], [b]) => a - b),
    most,
  ))
    yield yield* pass(ref => slotOf(ref) >= from && slotOf(ref) <= to);
}

/** Stretches of slots, each with at most `most` records where a single slot has no more. */
function windows(counts: readonly (readonly [number, number])[], most: number): [number, number][] {
  const found: [number, number][] = [];
  let held = Number.POSITIVE_INFINITY;
  for (const [slot, count] of counts) {
    held += count;
    const last = found.at(-1);
    if (last && held <= most) last[1] = slot;
    else {
      found.push([slot, slot]);
      held = count;
    }
  }
  return found;
}

function* refsOf(block: SealedBlock, candidates: readonly Candidate[]): Generator<Ref> {
  if (candidates.length === 0) return;
  const conversations = conversationsOf(block);
  for (const one of candidates)
    yield { ...one, conversation: conversations.get(parsePlace(one.place)?.offset ?? -1) ?? '' };
}

/** FNV-1a; spreads conversations, protects nothing. */
function bucketOf(text: string, buckets: number): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0) % buckets;
}
