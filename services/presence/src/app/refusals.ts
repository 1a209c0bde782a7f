import type { Chosen, Refusal } from '../domain/choices.ts';
import { err } from '../errors.ts';
import type { Core } from './core.ts';

const DAY = 86_400_000;

/** The decision, or its refusal thrown with the field at fault. */
export function accepted(core: Core, chosen: Chosen): Exclude<Chosen, Refusal> {
  if (!('refused' in chosen)) return chosen;
  switch (chosen.refused) {
    case 'appear_offline_forbidden':
      throw err('presence.appear_offline_forbidden', { field: 'availability' });
    case 'expires_in_past':
      throw err('presence.expires_in_past', { field: 'expires_ms' });
    case 'expires_too_far':
      throw err('presence.expires_too_far', {
        field: 'expires_ms',
        params: { days: Math.floor(core.choices.longestMs / DAY) },
      });
    case 'note_too_long':
      throw err('presence.note_too_long', { field: 'text', params: { limit: core.choices.noteCharacters } });
    case 'note_characters':
      throw err('presence.note_characters', { field: 'text' });
  }
}
