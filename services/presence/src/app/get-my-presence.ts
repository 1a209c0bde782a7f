import type { PersonDoc } from '../domain/person.ts';
import { change } from './change.ts';
import type { Core } from './core.ts';
import { refuseDisabled } from './refuse-disabled.ts';

/** One's own document as of now: what is due and not yet swept is done first. */
export async function getMyPresence(core: Core, personId: string, traceparent?: string): Promise<PersonDoc> {
  await refuseDisabled(core, personId);
  const { doc } = await change(core, personId, 'time', traceparent, doc => ({ doc }));
  return doc;
}
