import type { Message } from '../engine/state.ts';

/** Messages of one sender close to each other, shown as one. */
export interface MessageGroup {
  readonly id: string;
  readonly senderId: string;
  readonly messages: readonly Message[];
  /** A new day begins here. */
  readonly newDay: boolean;
  /** What was not looked at when the conversation was opened begins here. */
  readonly firstNew: boolean;
}

/** Longer pauses begin a new group, milliseconds. */
const PAUSE_MS = 5 * 60_000;

/** Groups messages; `dayKey` names the day of a time, `firstNewId` the first message that was not looked at. */
export function groupMessages(
  messages: readonly Message[],
  dayKey: (ms: number) => string,
  firstNewId: string | undefined,
): readonly MessageGroup[] {
  const groups: (MessageGroup & { messages: Message[] })[] = [];
  let lastMs = 0;
  let lastDay = '';
  for (const message of messages) {
    const day = dayKey(message.timeMs);
    const current = groups.at(-1);
    const newDay = day !== lastDay;
    const firstNew = message.id === firstNewId;
    const near = message.timeMs - lastMs < PAUSE_MS;
    if (current && current.senderId === message.senderId && near && !newDay && !firstNew)
      current.messages.push(message);
    else groups.push({ id: message.id, senderId: message.senderId, messages: [message], newDay, firstNew });
    lastMs = message.timeMs;
    lastDay = day;
  }
  return groups;
}
