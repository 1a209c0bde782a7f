import type { ShownMessage } from '@parley/client';
import { CommandError, type Refusal } from '../tabs/protocol.ts';
import type { Message } from './state.ts';

/** A message that the server refused, kept until its author tries again or gives it up. */
export interface FailedMessage {
  readonly messageId: string;
  readonly text: string;
  readonly timeMs: number;
  readonly refusal: Refusal;
}

/** Says why something failed, as data. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof CommandError) return error.refusal;
  const { code, params, retryAfterMs, requestId } = error as Partial<Refusal>;
  if (typeof code !== 'string') return { code: 'web.unexpected', params: { reason: String(error).slice(0, 200) } };
  return {
    code,
    params: { ...params },
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(requestId !== undefined && { requestId }),
  };
}

/**
 * The messages of a conversation: what was shown before (by the tab that led before, too), what the client knows now,
 * and what was refused. Ordered by key; those on their way last. Messages that did not change stay the same objects.
 */
export function mergeMessages(
  selfId: string,
  before: readonly Message[],
  client: readonly ShownMessage[],
  failed: readonly FailedMessage[],
  discarded: ReadonlySet<string>,
): readonly Message[] {
  const byId = new Map<string, Message>();
  // of what is on its way, only the client knows what became of it
  for (const message of before) if (message.key !== '') byId.set(message.id, message);
  const old = new Map(before.map(message => [message.id, message]));
  for (const { messageId, text, timeMs, refusal } of failed) {
    const id = `${selfId}.${messageId}`;
    byId.set(id, { id, senderId: selfId, text, high: false, key: '', timeMs, state: 'failed', refusal });
  }
  for (const message of client) byId.set(message.id, shown(message));
  const all = [...byId.values()]
    .filter(message => message.key !== '' || !discarded.has(message.id))
    .map(message => sameOr(old.get(message.id), message));
  const ordered = all
    .filter(message => message.key !== '')
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const loose = all.filter(message => message.key === '').sort((a, b) => a.timeMs - b.timeMs);
  const merged = [...ordered, ...loose];
  return merged.length === before.length && merged.every((message, i) => message === before[i]) ? before : merged;
}

function shown({ id, senderId, text, importance, key, timeMs, state, error }: ShownMessage): Message {
  const high = importance === 'high';
  return { id, senderId, text, high, key, timeMs, state, ...(error && { refusal: refusalOf(error) }) };
}

function sameOr(old: Message | undefined, now: Message): Message {
  const same =
    old !== undefined &&
    old.state === now.state &&
    old.key === now.key &&
    old.timeMs === now.timeMs &&
    old.text === now.text &&
    old.refusal?.code === now.refusal?.code;
  return same ? old : now;
}
