import { withDeletion, withRestoration } from '../domain/account.ts';
import { type Actor, type Call, causeOf } from './call.ts';
import { type ChangeAccountNeeds, change } from './change-account.ts';
import { type AccountView, checkMayAdminister, needPerson, type PersonRef, viewOf } from './find-person.ts';
import { type ShowNeeds, showPerson } from './show-person.ts';

export type DeletePersonNeeds = ChangeAccountNeeds & ShowNeeds;

/** Nothing of him goes away: his account says that he is hidden, and what follows from it is repeatable. */
export async function deletePerson(
  needs: DeletePersonNeeds,
  ref: PersonRef,
  actor: Actor,
  call: Call,
): Promise<AccountView> {
  const person = await needPerson(needs, ref);
  const personId = person._id;
  const { account, changed } = await change(needs, personId, (doc, version) => {
    checkMayAdminister(actor, doc);
    return withDeletion(doc, needs.clock.now(), version);
  });
  const { version } = account;
  const { traceparent } = call;
  needs.announcements.personChanged({ personId, version, disabled: true, allSignInsEnded: true, traceparent });
  if (changed) needs.events.personDeleted(personId, causeOf(call, actor));
  return viewOf(needs, await showPerson(needs, person), account);
}

export async function restorePerson(
  needs: DeletePersonNeeds,
  ref: PersonRef,
  actor: Actor,
  call: Call,
): Promise<AccountView> {
  const person = await needPerson(needs, ref);
  const personId = person._id;
  const { account, changed } = await change(needs, personId, (doc, version) => {
    checkMayAdminister(actor, doc);
    return withRestoration(doc, version);
  });
  const { version, state } = account;
  const disabled = state !== 'enabled';
  needs.announcements.personChanged({ personId, version, disabled, traceparent: call.traceparent });
  if (changed) needs.events.personRestored(personId, state, causeOf(call, actor));
  return viewOf(needs, await showPerson(needs, person), account);
}
