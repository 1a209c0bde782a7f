import type { ImConfig } from '../config.ts';
import { type ArchivingDecision, decideArchiving } from '../domain/archiving.ts';
import { contentHash, hashOf, type TextProblem, textProblem } from '../domain/content.ts';
import { conversationIdOf, eventIdOf, pairOf } from '../domain/conversation.ts';
import { type Content, type Event, MESSAGE } from '../domain/event.ts';
import { type Person, sendProblem } from '../domain/person.ts';
import { imErrors } from '../errors.ts';
import type { Telemetry } from '../events.ts';
import type { Position } from '../ports/archive-log.ts';
import type { Codec } from '../ports/codec.ts';
import { type EventStore, isRefusal, type Refusal, type RefusalStore, type StoredEvent } from '../ports/event-store.ts';
import type { Hints } from '../ports/hints.ts';
import type { ArchiveGate } from './archive-gate.ts';
import type { KeySource } from './key-source.ts';
import type { PeopleCache } from './people-cache.ts';
import type { Draft, PersistEvent } from './persist-event.ts';
import type { SettledPositions } from './settled-positions.ts';
import type { StoreClock } from './store-clock.ts';

export interface SendCommand {
  readonly senderId: string;
  readonly messageId: string;
  readonly recipientId: string;
  readonly content: Content;
  readonly afterKey: string;
  readonly attempt: number;
  readonly traceparent?: string | undefined;
}

export interface SendResult {
  readonly eventId: string;
  readonly conversationId: string;
  readonly key: string;
  readonly acceptedMs: number;
  readonly replayed: boolean;
}

export interface SendDeps {
  readonly people: PeopleCache;
  readonly rateLimit: (senderId: string) => void;
  readonly keys: KeySource;
  readonly time: Pick<StoreClock, 'nowMs'>;
  readonly monotonic: () => number;
  readonly gate: ArchiveGate;
  readonly events: EventStore;
  readonly refusals: RefusalStore;
  readonly persist: PersistEvent;
  readonly settled: SettledPositions;
  readonly hints: Hints;
  readonly codec: Codec;
  readonly telemetry: Telemetry;
  readonly settings: Pick<
    ImConfig,
    'maxTextCharacters' | 'maxTextBytes' | 'republishMs' | 'breakerOpenMs' | 'refusalKeepMs'
  >;
}

const textErrors = {
  empty: 'im.text_empty',
  malformed: 'im.text_malformed',
  control_character: 'im.text_control_character',
  too_long: 'im.text_too_long',
  too_large: 'im.text_too_large',
} as const satisfies Record<TextProblem, string>;

const sendErrors = {
  sender_disabled: ['im.sender_disabled', undefined],
  recipient_not_found: ['im.recipient_not_found', 'recipient_id'],
  recipient_disabled: ['im.recipient_disabled', 'recipient_id'],
} as const;

/** After these its author believes that it reached nobody, and nothing tries again by itself. */
const FINAL: ReadonlySet<string> = new Set([
  'im.archive_unavailable',
  'im.sender_disabled',
  'im.recipient_not_found',
  'im.recipient_disabled',
  'im.after_key_invalid',
  'im.key_in_future',
]);

/** Whoever stored it may move it meanwhile, each time because it took too long again. */
const PIN_TRIES = 10;

/** What is known of a send once it passed the first checks. */
interface Begun {
  readonly started: number;
  readonly pair: readonly [string, string];
  readonly id: string;
  readonly hash: Uint8Array;
}

/** The write path of a message (DESIGN §5.5): authorise, filter, decide, log, store, acknowledge, publish. */
export function createSendMessage(deps: SendDeps): (command: SendCommand) => Promise<SendResult> {
  const { people, gate, telemetry, settings } = deps;
  const limits = { characters: settings.maxTextCharacters, bytes: settings.maxTextBytes };

  function checkText(content: Content): void {
    const problem = textProblem(content.text, limits);
    if (!problem) return;
    const limit = problem === 'too_long' ? limits.characters : limits.bytes;
    throw imErrors(textErrors[problem], { field: 'content.text', params: { limit } });
  }

  async function replay(stored: StoredEvent, hash: Uint8Array, traceparent: string | undefined): Promise<SendResult> {
    if (!Buffer.from(hash).equals(hashOf(deps.codec.decodeEvent(stored.payload))))
      throw imErrors('im.message_id_reused', { field: 'message_id' });
    const { recipientIds, payload } = await pinned(stored);
    const event = deps.codec.decodeEvent(payload);
    // The first publication may have been lost with the process that made it.
    if (deps.time.nowMs() - event.acceptedMs < settings.republishMs)
      deps.hints.publish(recipientIds, payload, traceparent);
    telemetry.replayed();
    return resultOf(event, true);
  }

  /**
   * Keeps it in its place: whoever stored it may be held up, and would give it another when he goes on, by
   * compare-and-set. What its author is told of its place must stay true.
   */
  async function pinned(stored: StoredEvent): Promise<StoredEvent> {
    try {
      let before = stored;
      for (let tries = 0; tries < PIN_TRIES; tries++) {
        if (await deps.events.replace(before)) return before;
        const found = await deps.events.find(stored.id);
        if (!found || isRefusal(found)) break;
        // Changed, and not by giving it another place: somebody else has pinned it.
        if (found.key === before.key) return found;
        before = found;
      }
    } catch (cause) {
      throw unknownOutcome(stored.id, cause);
    }
    throw unknownOutcome(stored.id);
  }

  function refuseCritical(reason: string): never {
    telemetry.criticalRefused(reason);
    throw imErrors('im.archive_unavailable', { retryAfterMs: settings.breakerOpenMs });
  }

  /** The position in the log, or the record that is still to be relayed and whether the log may hold it already. */
  async function archive(
    { attempt, traceparent }: SendCommand,
    event: Event,
    payload: Uint8Array,
    hash: Uint8Array,
    decision: ArchivingDecision,
    persons: readonly Person[],
  ): Promise<{ position: Position } | { pendingRecord: Uint8Array; mayBeLogged: boolean }> {
    const critical = decision.lane === 'critical';
    const record = deps.codec.record(event, payload, {
      hash,
      decidedBy: decision.decidedBy,
      critical,
      people: persons,
    });
    const outcome = await gate.append({ conversationId: event.conversationId, record, traceparent });
    if (outcome.kind === 'appended') return { position: outcome.position };
    if (!critical) {
      telemetry.storedPending(event.id, outcome.outcome);
      return { pendingRecord: record, mayBeLogged: outcome.outcome === 'unknown' };
    }
    // A repetition is refused in its place whatever the log said, below.
    if (outcome.outcome === 'unknown' && attempt === 0 && (await refuseInPlace(event.id)))
      throw unknownOutcome(event.id);
    return refuseCritical(`log_${outcome.outcome}`);
  }

  /**
   * The log may hold it, from this try or an earlier one, and nobody may complete what its author is told reached nobody.
   * Resolves with the event when it was stored before.
   */
  async function refuseInPlace(id: string): Promise<StoredEvent | undefined> {
    try {
      return await deps.refusals.put(id, deps.time.nowMs() + settings.refusalKeepMs);
    } catch (cause) {
      throw unknownOutcome(id, cause);
    }
  }

  function unknownOutcome(id: string, cause: unknown = 'superseded') {
    telemetry.outcomeUnknown(id, cause);
    return imErrors('im.outcome_unknown', { cause });
  }

  function begin(command: SendCommand): Begun {
    const started = deps.monotonic();
    deps.rateLimit(command.senderId);
    checkText(command.content);
    const pair = pairOf(command.senderId, command.recipientId);
    const id = eventIdOf(command.senderId, command.messageId);
    return { started, pair, id, hash: contentHash(MESSAGE, pair, command.content) };
  }

  /** `over`: the refusal that was there when this try began. */
  async function accept(command: SendCommand, begun: Begun, over: Refusal | undefined): Promise<SendResult> {
    const { senderId, recipientId, content, traceparent } = command;
    const { started, pair, id, hash } = begun;
    const warm = [people.warm(senderId), people.warm(recipientId)] as const;
    const [sender, recipient] =
      warm[0] && warm[1] ? [warm[0].person, warm[1].person] : await people.load([senderId, recipientId]);
    const problem = sendProblem(sender, recipient);
    if (problem) throw imErrors(sendErrors[problem][0], fieldOf(sendErrors[problem][1]));

    const persons = [sender as Person, recipient as Person];
    const decision = decideArchiving(persons);
    if (decision.lane === 'critical') {
      const behind = gate.criticalProblem();
      if (behind) refuseCritical(behind);
    }

    const { key, madeMs } = deps.keys.next(command.afterKey);
    const conversationId = conversationIdOf(pair);
    const event: Event = {
      id,
      kind: MESSAGE,
      conversationId,
      senderId,
      key,
      acceptedMs: madeMs,
      content,
      recipientIds: pair,
    };
    const payload = deps.codec.event(event);
    let draft: Draft = over ? { event, payload, madeMs, over } : { event, payload, madeMs };
    let position: Position | undefined;
    let mayBeLogged = false;
    if (decision.lane !== 'none') {
      const archived = await archive(command, event, payload, hash, decision, persons);
      if ('position' in archived) position = archived.position;
      else draft = { ...draft, pendingRecord: archived.pendingRecord };
      mayBeLogged = 'position' in archived || archived.mayBeLogged;
    }

    const outcome = await deps.persist(draft);
    if (outcome.kind === 'failed') {
      // Once it may be logged the reconciler may still complete it, so "nothing happened" would be a lie.
      if (outcome.outcome === 'not-applied' && !mayBeLogged)
        throw imErrors('im.store_unavailable', { retryAfterMs: 1_000, cause: outcome.cause });
      throw unknownOutcome(id, outcome.cause);
    }
    // Refused since this try began: by another one, or by the reconciler, which found an earlier try in the log.
    if (outcome.kind === 'refused') throw unknownOutcome(id);
    if (outcome.kind === 'exists') {
      const result = await replay(outcome.event, hash, traceparent);
      if (position) deps.settled.add(position);
      return result;
    }
    if (position) deps.settled.add(position);
    deps.hints.publish(pair, outcome.payload, traceparent);
    telemetry.sent(decision.lane, (deps.monotonic() - started) / 1000);
    return resultOf(outcome.event, false);
  }

  /** Whatever became of the tries before: when this one is refused for good, so are they. */
  async function repeat(command: SendCommand, begun: Begun): Promise<SendResult> {
    const { id, hash } = begun;
    const found = await find(id);
    if (found && !isRefusal(found)) return replay(found, hash, command.traceparent);
    try {
      return await accept(command, begun, found);
    } catch (error) {
      if (!FINAL.has((error as { code?: string }).code ?? '')) throw error;
      const stored = await refuseInPlace(id);
      if (!stored) throw error;
      return replay(stored, hash, command.traceparent);
    }
  }

  async function find(id: string): Promise<StoredEvent | Refusal | undefined> {
    try {
      return await deps.events.find(id);
    } catch (cause) {
      throw imErrors('im.store_unavailable', { retryAfterMs: 1_000, cause });
    }
  }

  return async command => {
    try {
      const begun = begin(command);
      return await (command.attempt > 0 ? repeat(command, begun) : accept(command, begun, undefined));
    } catch (error) {
      telemetry.refused((error as { code?: string }).code ?? 'internal');
      throw error;
    }
  };
}

function resultOf({ id, conversationId, key, acceptedMs }: Event, replayed: boolean): SendResult {
  return { eventId: id, conversationId, key, acceptedMs, replayed };
}

const fieldOf = (field: string | undefined) => (field === undefined ? {} : { field });
