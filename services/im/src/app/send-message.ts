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
import type { EventStore, RefusalStore, StoredEvent } from '../ports/event-store.ts';
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

  function replay(stored: StoredEvent, hash: Uint8Array, traceparent: string | undefined): SendResult {
    const event = deps.codec.decodeEvent(stored.payload);
    if (!Buffer.from(hash).equals(hashOf(event))) throw imErrors('im.message_id_reused', { field: 'message_id' });
    // The first publication may have been lost with the process that made it.
    if (deps.time.nowMs() - event.acceptedMs < settings.republishMs)
      deps.hints.publish(stored.recipientIds, stored.payload, traceparent);
    telemetry.replayed();
    return resultOf(event, true);
  }

  function refuseCritical(reason: string): never {
    telemetry.criticalRefused(reason);
    throw imErrors('im.archive_unavailable', { retryAfterMs: settings.breakerOpenMs });
  }

  /** The position in the log, or the record that is still to be relayed; neither when nothing is archived. */
  async function archive(
    event: Event,
    payload: Uint8Array,
    hash: Uint8Array,
    decision: ArchivingDecision,
    persons: readonly Person[],
    traceparent: string | undefined,
  ): Promise<{ position?: Position; pendingRecord?: Uint8Array }> {
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
      return { pendingRecord: record };
    }
    if (outcome.outcome === 'unknown') await rememberRefusal(event);
    return refuseCritical(`log_${outcome.outcome}`);
  }

  /** The log may hold it, and nobody must complete what its author is told was delivered to nobody. */
  async function rememberRefusal(event: Event): Promise<void> {
    try {
      await deps.refusals.put(event.id, event.acceptedMs + settings.refusalKeepMs);
    } catch (cause) {
      telemetry.outcomeUnknown(event.id, cause);
      throw imErrors('im.outcome_unknown', { cause });
    }
  }

  async function send(command: SendCommand): Promise<SendResult> {
    const started = deps.monotonic();
    const { senderId, recipientId, content, traceparent } = command;
    deps.rateLimit(senderId);
    checkText(content);
    const warm = [people.warm(senderId), people.warm(recipientId)] as const;
    const [sender, recipient] =
      warm[0] && warm[1] ? [warm[0].person, warm[1].person] : await people.load([senderId, recipientId]);
    const problem = sendProblem(sender, recipient);
    if (problem) throw imErrors(sendErrors[problem][0], fieldOf(sendErrors[problem][1]));

    const pair = pairOf(senderId, recipientId);
    const id = eventIdOf(senderId, command.messageId);
    const hash = contentHash(MESSAGE, pair, content);
    if (command.attempt > 0) {
      const stored = await find(id);
      if (stored) return replay(stored, hash, traceparent);
    }

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
    let draft: Draft = { event, payload, madeMs };
    let position: Position | undefined;
    if (decision.lane !== 'none') {
      const archived = await archive(event, payload, hash, decision, persons, traceparent);
      position = archived.position;
      if (archived.pendingRecord) draft = { ...draft, pendingRecord: archived.pendingRecord };
    }

    const outcome = await deps.persist(draft);
    if (outcome.kind === 'failed') {
      // Once it is logged the reconciler may still complete it, so "nothing happened" would be a lie.
      if (outcome.outcome === 'not-applied' && !position)
        throw imErrors('im.store_unavailable', { retryAfterMs: 1_000, cause: outcome.cause });
      telemetry.outcomeUnknown(id, outcome.cause);
      throw imErrors('im.outcome_unknown', { cause: outcome.cause });
    }
    if (outcome.kind === 'exists') {
      const result = replay(outcome.event, hash, traceparent);
      if (position) deps.settled.add(position);
      return result;
    }
    if (position) deps.settled.add(position);
    deps.hints.publish(pair, outcome.payload, traceparent);
    telemetry.sent(decision.lane, (deps.monotonic() - started) / 1000);
    return resultOf(outcome.event, false);
  }

  async function find(id: string): Promise<StoredEvent | undefined> {
    try {
      return await deps.events.find(id);
    } catch (cause) {
      throw imErrors('im.store_unavailable', { retryAfterMs: 1_000, cause });
    }
  }

  return async command => {
    try {
      return await send(command);
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
