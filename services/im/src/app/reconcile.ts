import type { Clock } from '@parley/runtime';
import { hashOf } from '../domain/content.ts';
import { isConversationId, isPersonId } from '../domain/conversation.ts';
import { type Event, MESSAGE } from '../domain/event.ts';
import { sendProblem } from '../domain/person.ts';
import type { Telemetry } from '../events.ts';
import type { Position } from '../ports/archive-log.ts';
import type { Codec, LoggedRecord } from '../ports/codec.ts';
import { type EventStore, isRefusal, type Refusal, type RefusalStore, type StoredEvent } from '../ports/event-store.ts';
import type { Hints } from '../ports/hints.ts';
import type { ArchiveGate } from './archive-gate.ts';
import type { FreshKey, KeySource } from './key-source.ts';
import type { PeopleCache } from './people-cache.ts';
import type { PersistEvent } from './persist-event.ts';
import type { SettledPositions } from './settled-positions.ts';
import type { StoreClock } from './store-clock.ts';

const MOST_IDS = 1_000;

/** A record of the archive log as it was read. */
export interface ReadRecord extends Position {
  readonly value: Uint8Array;
  readonly timestampMs: number;
}

export interface ReconcileDeps {
  readonly clock: Clock;
  readonly time: Pick<StoreClock, 'nowMs'>;
  readonly codec: Codec;
  readonly events: EventStore;
  readonly refusals: RefusalStore;
  readonly people: PeopleCache;
  readonly keys: KeySource;
  readonly persist: PersistEvent;
  readonly gate: Pick<ArchiveGate, 'appendAll'>;
  readonly hints: Hints;
  readonly settled: SettledPositions;
  readonly telemetry: Telemetry;
  /** How old a record must be: older than any write of it can still be under way. */
  readonly delayMs: number;
  readonly completeMaxAgeMs: number;
  readonly refusalKeepMs: number;
}

interface Suspect extends LoggedRecord {
  readonly bytes: Uint8Array;
  readonly place: string;
}

/**
 * Finds what was logged and never stored, because a process died in between or a write failed: delivers it with a fresh
 * key, or says in the log that it was not accepted. Rejects when it cannot finish; the batch then comes again.
 */
export function createReconcile(deps: ReconcileDeps) {
  const { clock, codec, events, people, telemetry } = deps;
  /** Records whose verdict is in the log, of batches that could not be finished and come again. */
  const judged = new Set<string>();

  async function append(suspect: Suspect, kind: LoggedRecord['kind'], reason: string): Promise<void> {
    const record = codec.withKind(suspect.bytes, kind);
    const done = await deps.gate.appendAll([{ conversationId: suspect.conversationId, record }]);
    if (!done) throw new Error('the archive log did not take the verdict');
    judged.add(suspect.place);
    telemetry.reconciled(kind === 'event' ? 'reaccepted' : 'not_accepted', suspect.recordId, reason);
  }

  /** Why a message that was never stored must not be delivered now; undefined when it may. */
  async function obstacle(suspect: Suspect): Promise<string | undefined> {
    if (deps.time.nowMs() - suspect.acceptedMs > deps.completeMaxAgeMs) return 'too_old';
    const others = suspect.recipientIds.filter(id => id !== suspect.senderId);
    const [sender, ...recipients] = await people.load([suspect.senderId, ...others]);
    return recipients.map(recipient => sendProblem(sender, recipient)).find(Boolean);
  }

  /**
   * Greater than the key that was logged, because that one sorts after what the author had seen, and after a crash the
   * store's time may be a little earlier than it was. A key that no process of ours can have made counts for nothing.
   */
  function freshKey(logged: string): FreshKey {
    try {
      return deps.keys.next(logged);
    } catch {
      return deps.keys.next('');
    }
  }

  /** The event in a record; undefined when it is none that im can have logged, so that nothing stops at it. */
  function eventOf({ recordId, senderId, recipientIds, conversationId, event }: Suspect): Event | undefined {
    if (!isConversationId(conversationId) || ![senderId, ...recipientIds].every(isPersonId)) return undefined;
    try {
      const logged = codec.decodeEvent(event);
      return logged.id === recordId && logged.conversationId === conversationId ? logged : undefined;
    } catch {
      return undefined;
    }
  }

  /** What was there before; undefined when it was stored now. */
  async function complete(suspect: Suspect, logged: Event): Promise<StoredEvent | 'refused' | undefined> {
    const fresh = freshKey(logged.key);
    const event = { ...logged, kind: logged.kind || MESSAGE, key: fresh.key };
    const payload = codec.event(event);
    const outcome = await deps.persist({ event, payload, madeMs: fresh.madeMs });
    if (outcome.kind === 'failed') throw new Error('the store did not take the message', { cause: outcome.cause });
    // It was stored late by whoever logged it, or refused: the unique id has decided.
    if (outcome.kind === 'exists') return outcome.event;
    if (outcome.kind === 'refused') return 'refused';
    deps.hints.publish(event.recipientIds, outcome.payload);
    telemetry.reconciled('completed', suspect.recordId);
    return undefined;
  }

  /** Refused, if need be once more: so no try that was under way before can be stored after the verdict. */
  async function refuse(suspect: Suspect): Promise<StoredEvent | undefined> {
    return deps.refusals.put(suspect.recordId, deps.time.nowMs() + deps.refusalKeepMs);
  }

  async function judge(suspect: Suspect, found: StoredEvent | Refusal | undefined): Promise<void> {
    let accepted: StoredEvent | 'refused' | undefined = found && isRefusal(found) ? 'refused' : found;
    if (!accepted && suspect.kind === 'event') {
      const logged = eventOf(suspect);
      if (!logged) return telemetry.reconciled('unreadable', suspect.recordId);
      const why = await obstacle(suspect);
      accepted = why ? await refuse(suspect) : await complete(suspect, logged);
      if (!accepted) return why ? append(suspect, 'not-accepted', why) : undefined;
    }
    if (accepted === 'refused') {
      accepted = await refuse(suspect);
      if (!accepted) return suspect.kind === 'event' ? append(suspect, 'not-accepted', 'refused') : undefined;
    }
    const same =
      accepted !== undefined && Buffer.from(hashOf(codec.decodeEvent(accepted.payload))).equals(suspect.hash);
    if (suspect.kind === 'event' && !same) return append(suspect, 'not-accepted', 'other_content');
    // The verdict came too early: the message was stored after all. The last word in the log is to be right.
    if (suspect.kind === 'not-accepted' && same) return append(suspect, 'event', 'stored_later');
  }

  async function check(suspects: readonly Suspect[]): Promise<void> {
    const ids = [...new Set(suspects.map(suspect => suspect.recordId))];
    const found = new Map((await events.findMany(ids)).map(each => [each.id, each]));
    for (const suspect of suspects) {
      if (judged.has(suspect.place)) continue;
      // What was missing may have been completed for an earlier record of the same batch.
      await judge(suspect, found.get(suspect.recordId) ?? (await events.find(suspect.recordId)));
    }
  }

  function suspectOf(record: ReadRecord): Suspect | undefined {
    if (deps.settled.take(record)) return undefined;
    const decoded = codec.decodeRecord(record.value);
    if (!decoded) telemetry.reconciled('unreadable', `${record.partition}/${record.offset}`);
    return decoded && { ...decoded, bytes: record.value, place: placeOf(record) };
  }

  return async (records: readonly ReadRecord[], signal: AbortSignal): Promise<void> => {
    const newest = records.at(-1);
    if (!newest) return;
    // Never longer than the delay, whatever the log's clock says.
    const wait = Math.min(deps.delayMs, newest.timestampMs + deps.delayMs - clock.now());
    if (wait > 0) await clock.sleep(wait, signal);
    const suspects = lastWords(records.map(suspectOf).filter(suspect => suspect !== undefined));
    for (let i = 0; i < suspects.length; i += MOST_IDS) await check(suspects.slice(i, i + MOST_IDS));
    if (judged.size > 0) for (const record of records) judged.delete(placeOf(record));
  };
}

const placeOf = ({ partition, offset }: Position): string => `${partition}/${offset}`;

/** Of the records about one content of one message the last, which is the one that counts. */
function lastWords(suspects: readonly Suspect[]): readonly Suspect[] {
  const last = new Map<string, Suspect>();
  for (const suspect of suspects)
    last.set(`${suspect.recordId} ${Buffer.from(suspect.hash).toString('base64')}`, suspect);
  return [...last.values()];
}
