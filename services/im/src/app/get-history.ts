import { conversationIdOf, isConversationId, pairOf } from '../domain/conversation.ts';
import { historyCursor, parseHistoryCursor } from '../domain/cursor.ts';
import { imErrors } from '../errors.ts';
import type { Telemetry } from '../events.ts';
import type { EventStore, StoredEvent } from '../ports/event-store.ts';
import { withinBytes } from './sync.ts';

export interface HistoryDeps {
  readonly events: EventStore;
  readonly pageBytes: number;
  readonly telemetry: Telemetry;
}

export interface HistoryCommand {
  readonly personId: string;
  /** Exactly one of the two is not empty. */
  readonly conversationId: string;
  readonly withPersonId: string;
  readonly cursor: string;
  readonly limit: number;
}

export interface HistoryPage {
  readonly conversationId: string;
  readonly events: readonly StoredEvent[];
  readonly nextCursor: string;
}

/** Events of a conversation, newest first. Whoever is not in it learns nothing, not even that it exists. */
export function createGetHistory(deps: HistoryDeps): (command: HistoryCommand) => Promise<HistoryPage> {
  const { events } = deps;
  return async ({ personId, withPersonId, cursor, limit, ...named }) => {
    const conversationId =
      withPersonId === '' ? named.conversationId : conversationIdOf(pairOf(personId, withPersonId));
    if (!isConversationId(conversationId)) throw imErrors('im.conversation_not_found', { field: 'conversation_id' });
    const before = cursor === '' ? undefined : parseHistoryCursor(cursor, conversationId);
    if (cursor !== '' && before === undefined) throw imErrors('im.cursor_invalid', { field: 'cursor' });
    const found = await events.history(conversationId, before, limit + 1);
    if (withPersonId === '') {
      const some =
        found[0] ?? (before === undefined ? undefined : (await events.history(conversationId, undefined, 1))[0]);
      if (!some?.recipientIds.includes(personId))
        throw imErrors('im.conversation_not_found', { field: 'conversation_id' });
    }
    const page = withinBytes(found.slice(0, limit), deps.pageBytes);
    const more = page.length < found.length;
    deps.telemetry.read('history', page.length);
    return {
      conversationId,
      events: page,
      nextCursor: more ? historyCursor(conversationId, page.at(-1)?.key ?? '') : '',
    };
  };
}
