import { hash } from 'node:crypto';

const PERSON = /^[A-Za-z0-9_-]{1,64}$/;
const CONVERSATION = /^d_[A-Za-z0-9_-]{24}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const isPersonId = (text: string): boolean => PERSON.test(text);
export const isConversationId = (text: string): boolean => CONVERSATION.test(text);

/** A client's id in the one form it is stored in; undefined when it is not a UUID. */
export function messageIdOf(text: string): string | undefined {
  if (text.length !== 36) return undefined;
  const lower = text.toLowerCase();
  return UUID.test(lower) ? lower : undefined;
}

/** The two people of a talk in the order in which everything names them. */
export function pairOf(one: string, other: string): readonly [string, string] {
  return one < other ? [one, other] : [other, one];
}

/** Id of a two-party conversation. It follows from the two, so replicas agree on it without asking anybody. */
export function conversationIdOf(pair: readonly [string, string]): string {
  return `d_${hash('sha256', `parley.im.direct\n${pair[0]}\n${pair[1]}`, 'base64url').slice(0, 24)}`;
}

/** Id of an event: unique for ever, because a sender never uses a message id for two contents. */
export function eventIdOf(senderId: string, messageId: string): string {
  return `${senderId}.${messageId}`;
}
