import { fromBinary, getOption } from '@bufbuild/protobuf';
import { access } from '@parley/contracts';
import { PresenceService, PresenceViewSchema } from '@parley/contracts/presence/v1/presence';
import { personOf, type ServiceImpl, service } from '@parley/rpc';
import type { Core } from '../app/core.ts';
import { explainPresence } from '../app/explain-presence.ts';
import { getMyPresence } from '../app/get-my-presence.ts';
import { resetPresence } from '../app/reset-presence.ts';
import { resolve } from '../app/resolve.ts';
import { setNote } from '../app/set-note.ts';
import { setPresence } from '../app/set-presence.ts';
import type { PersonDoc } from '../domain/person.ts';
import { unseen } from '../domain/views.ts';
import { MANUAL, myPresence } from './convert.ts';
import { explained } from './explained.ts';
import { id, ids, requestId, safe, word } from './validate.ts';

const MOST_PEOPLE = 200;
const EXPLAIN_ROLES = getOption(PresenceService.method.explainPresence, access).roles;

/** What people call. */
export function presenceService(core: Core) {
  const mine = (doc: PersonDoc) => ({
    presence: myPresence(doc, core.time.now(), core.policy.timing, unseen(doc._id, core.codec)),
  });
  const impl: ServiceImpl<typeof PresenceService> = {
    async setPresence(request, context) {
      const endsAt = safe(request.expiresMs, 'expires_ms');
      const command = {
        personId: personOf(context).id,
        requestId: requestId(request.requestId),
        state: word(MANUAL, request.availability, 'availability'),
        traceparent: context.traceparent,
        ...(endsAt === 0 ? {} : { endsAt }),
      };
      return mine(await setPresence(core, command));
    },
    async resetPresence(request, context) {
      const { traceparent } = context;
      const command = { personId: personOf(context).id, requestId: requestId(request.requestId), traceparent };
      return mine(await resetPresence(core, command));
    },
    async setNote(request, context) {
      const { traceparent } = context;
      const { text } = request;
      const command = { personId: personOf(context).id, requestId: requestId(request.requestId), text, traceparent };
      return mine(await setNote(core, command));
    },
    async getMyPresence(_request, context) {
      return mine(await getMyPresence(core, personOf(context).id, context.traceparent));
    },
    async getPresence(request, context) {
      const people = ids(request.personIds, 'person_ids', MOST_PEOPLE);
      const resolved = await resolve(core, personOf(context).id, people);
      return { views: resolved.map(({ view }) => fromBinary(PresenceViewSchema, view.bytes)) };
    },
    async explainPresence(request, context) {
      const command = {
        by: personOf(context).id,
        roles: EXPLAIN_ROLES,
        viewerId: id(request.viewerId, 'viewer_id'),
        targetId: id(request.targetId, 'target_id'),
      };
      return explained(await explainPresence(core, command));
    },
  };
  return service(PresenceService, impl);
}
