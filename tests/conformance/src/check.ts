import assert from 'node:assert/strict';
import { type Journey, type Told, texts } from './journey.ts';
import type { Kind } from './page.ts';

const brief = ({ status, code, field }: Told) => [status, code, field];

/** What a journey must have brought, whoever made it. */
export function check(kind: Kind, journey: Journey): void {
  assert.equal(journey.displayName, 'Ada Conradi');
  assert.deepEqual(brief(journey.wrongPassword), [16, 'directory.sign_in_refused', '']);
  assert.deepEqual(brief(journey.noToken), [16, 'rpc.unauthenticated', '']);
  assert.deepEqual(brief(journey.tooLong), [8, 'im.text_too_long', 'content.text']);
  assert.match(journey.tooLong.message, /^content\.text: at most [0-9]+ characters$/);
  assert.deepEqual(brief(journey.unknownPerson), [5, 'im.recipient_not_found', 'recipient_id']);
  // connect-web does not wait for the server's word.
  if (kind === 'connect-web') assert.equal(journey.late.status, 4);
  else assert.deepEqual(brief(journey.late), [4, 'rpc.deadline_exceeded', '']);
  assert.equal(journey.ended.status, kind === 'grpcweb' ? 4 : 0);
  assert.deepEqual(journey.events, ['connected', ...texts]);
}
