import { writeNote } from '../domain/choices.ts';
import type { PersonDoc } from '../domain/person.ts';
import { change } from './change.ts';
import type { Core } from './core.ts';
import { accepted } from './refusals.ts';
import { refuseDisabled } from './refuse-disabled.ts';

export interface SetNote {
  readonly personId: string;
  readonly requestId: string;
  readonly text: string;
  readonly traceparent?: string | undefined;
}

export async function setNote(core: Core, command: SetNote): Promise<PersonDoc> {
  await refuseDisabled(core, command.personId);
  const { doc, replayed } = await change(core, command.personId, 'note', command.traceparent, (doc, now) =>
    accepted(core, writeNote(doc, command, now, core.choices)),
  );
  core.events.chosen('note', replayed);
  return doc;
}
