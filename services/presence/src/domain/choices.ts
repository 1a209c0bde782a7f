import type { ManualState, PersonDoc } from './person.ts';

/** How many requests are remembered, so that a repeated one changes nothing. */
export const REMEMBERED_REQUESTS = 16;

/** What choices are allowed. */
export interface ChoicePolicy {
  readonly appearOffline: boolean;
  /** When Busy and Do Not Disturb end by themselves, milliseconds after they were chosen. */
  readonly urgentEndsAfterMs: number;
  /** How far ahead an end may lie, milliseconds. */
  readonly longestMs: number;
  readonly noteCharacters: number;
}

export type Refusal =
  | { readonly refused: 'appear_offline_forbidden' }
  | { readonly refused: 'expires_in_past' }
  | { readonly refused: 'expires_too_far' }
  | { readonly refused: 'note_too_long' }
  | { readonly refused: 'note_characters' };

export type Chosen = { readonly doc: PersonDoc; readonly replayed: boolean } | Refusal;

/** Chooses a state. `endsAt` undefined means the state's own end. */
export function choosePresence(
  doc: PersonDoc,
  choice: { readonly requestId: string; readonly state: ManualState; readonly endsAt?: number },
  now: number,
  policy: ChoicePolicy,
): Chosen {
  if (doc.requests.includes(choice.requestId)) return { doc, replayed: true };
  if (choice.state === 'appear-offline' && !policy.appearOffline) return { refused: 'appear_offline_forbidden' };
  if (choice.endsAt !== undefined && choice.endsAt <= now) return { refused: 'expires_in_past' };
  if (choice.endsAt !== undefined && choice.endsAt > now + policy.longestMs) return { refused: 'expires_too_far' };
  const endsAt = choice.endsAt ?? (ENDING.has(choice.state) ? now + policy.urgentEndsAfterMs : undefined);
  const manual = { state: choice.state, setAt: now, ...(endsAt === undefined ? {} : { endsAt }) };
  return { doc: remember({ ...doc, manual }, choice.requestId), replayed: false };
}

const ENDING: ReadonlySet<ManualState> = new Set(['busy', 'do-not-disturb']);

/** Lets the devices decide again. */
export function resetPresence(doc: PersonDoc, requestId: string): { doc: PersonDoc; replayed: boolean } {
  if (doc.requests.includes(requestId)) return { doc, replayed: true };
  const { manual: _manual, ...rest } = doc;
  return { doc: remember(rest, requestId), replayed: false };
}

/** Sets the note; an empty text removes it. */
export function writeNote(
  doc: PersonDoc,
  request: { readonly requestId: string; readonly text: string },
  now: number,
  policy: ChoicePolicy,
): Chosen {
  if (doc.requests.includes(request.requestId)) return { doc, replayed: true };
  const { text } = request;
  // A character is a code point: two UTF-16 units at most.
  if (text.length > policy.noteCharacters * 2 || [...text].length > policy.noteCharacters)
    return { refused: 'note_too_long' };
  if (!text.isWellFormed() || UNPRINTABLE.test(text)) return { refused: 'note_characters' };
  const { note: _note, ...rest } = doc;
  const next: PersonDoc = text === '' ? rest : { ...rest, note: { text, setAt: now } };
  return { doc: remember(next, request.requestId), replayed: false };
}

/** Controls, line and paragraph separators, and the marks that turn the direction of what follows the note. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/u;

function remember(doc: PersonDoc, requestId: string): PersonDoc {
  return { ...doc, requests: [...doc.requests.slice(1 - REMEMBERED_REQUESTS), requestId] };
}
