import { resetPresence as reset } from '../domain/choices.ts';
import type { PersonDoc } from '../domain/person.ts';
import { change } from './change.ts';
import type { Core } from './core.ts';
import { refuseDisabled } from './refuse-disabled.ts';

export interface ResetPresence {
  readonly personId: string;
  readonly requestId: string;
  readonly traceparent?: string | undefined;
}

export async function resetPresence(core: Core, command: ResetPresence): Promise<PersonDoc> {
  await refuseDisabled(core, command.personId);
  const { doc, replayed } = await change(core, command.personId, 'choice', command.traceparent, doc =>
    reset(doc, command.requestId),
  );
  core.events.chosen('reset', replayed);
  return doc;
}
