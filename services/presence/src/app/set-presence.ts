import { choosePresence } from '../domain/choices.ts';
import type { ManualState, PersonDoc } from '../domain/person.ts';
import { change } from './change.ts';
import type { Core } from './core.ts';
import { accepted } from './refusals.ts';
import { refuseDisabled } from './refuse-disabled.ts';

export interface SetPresence {
  readonly personId: string;
  readonly requestId: string;
  readonly state: ManualState;
  /** When the choice ends by itself; undefined for the state's default. */
  readonly endsAt?: number;
  readonly traceparent?: string | undefined;
}

export async function setPresence(core: Core, command: SetPresence): Promise<PersonDoc> {
  await refuseDisabled(core, command.personId);
  const { doc, replayed } = await change(core, command.personId, 'choice', command.traceparent, (doc, now) =>
    accepted(core, choosePresence(doc, command, now, core.choices)),
  );
  core.events.chosen('state', replayed);
  return doc;
}
