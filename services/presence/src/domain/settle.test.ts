import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openEndpoint } from './endpoints.ts';
import { newPerson, type PersonDoc } from './person.ts';
import type { View } from './project.ts';
import { complete, expire, isDue, type Policy } from './settle.ts';
import { storedView, unseen, type ViewCodec } from './views.ts';

/** Views as text, the revision behind `#`. */
const codec: ViewCodec = {
  encode: (view: View) => new TextEncoder().encode(JSON.stringify(view)),
  stamp: (view, revision) => Buffer.concat([view, Buffer.from(`#${revision}`)]),
  isStamped: (stamped, view, revision) =>
    Buffer.from(stamped).equals(revision === 0 ? view : Buffer.concat([view, Buffer.from(`#${revision}`)])),
};
const policy: Policy = {
  timing: { inactiveAfterMs: 300_000, awayAfterMs: 600_000, graceMs: 60_000 },
  showLastActive: true,
};
const NOW = 1_000_000;
const online = (doc: PersonDoc = newPerson('p')): PersonDoc => {
  const opened = openEndpoint(
    doc,
    { id: 'device-1', connectionId: 'c', sessionId: 's', pod: 'pod-1', device: 'web', machine: 'active' },
    NOW,
    8,
  );
  assert.ok('doc' in opened);
  return opened.doc;
};
const textOf = (doc: PersonDoc, level: 'colleagues' | 'workgroup') =>
  new TextDecoder().decode(storedView(doc, level)?.bytes);

describe('completing a document', () => {
  it('publishes a view that differs, under the next revision, and keeps it', () => {
    const { doc, publications } = complete(online(), NOW, policy, codec);
    assert.deepEqual(
      publications.map(p => [p.personId, p.level, p.view.rev]),
      [['p', 'colleagues', 1]],
    );
    assert.match(textOf(doc, 'colleagues'), /"availability":3500.*#1$/);
    assert.deepEqual([doc.rev, doc.mode, doc.modeSince, doc.pods], [1, 'available', NOW, ['pod-1']]);
    assert.equal(doc.nextChangeAt, NOW + 300_000);
  });

  it('publishes nothing when nobody would see a difference', () => {
    const first = complete(online(), NOW, policy, codec).doc;
    const again = complete({ ...first, requests: ['r'] }, NOW + 5000, policy, codec);
    assert.deepEqual(again.publications, []);
    assert.equal(again.doc.rev, 1);
    assert.equal(again.doc.modeSince, NOW);
    assert.equal(again.doc.bytes, first.bytes);
  });

  it('publishes nothing for somebody new who is offline', () => {
    const { doc, publications } = complete({ ...newPerson('p'), requests: ['r'] }, NOW, policy, codec);
    assert.deepEqual(publications, []);
    assert.deepEqual(storedView(doc, 'colleagues'), unseen('p', codec));
  });

  it('gives all levels of one change one revision, and leaves those alone that show the same', () => {
    const members = [{ level: 'workgroup', kind: 'user', value: 'w' }] as const;
    const first = complete({ ...online(), members, acl: 1 }, NOW, policy, codec);
    assert.deepEqual(
      first.publications.map(p => [p.level, p.view.rev]),
      [
        ['colleagues', 1],
        ['workgroup', 1],
      ],
    );
    const manual = { state: 'do-not-disturb', setAt: NOW } as const;
    const { doc } = complete({ ...first.doc, manual }, NOW, policy, codec);
    assert.match(textOf(doc, 'colleagues'), /"availability":9500.*#2$/);
    assert.match(textOf(doc, 'workgroup'), /"availability":6900.*"urgent-interruptions-only".*#2$/);
  });

  it('gives every view a new revision when the access list changed', () => {
    const first = complete(online(), NOW, policy, codec).doc;
    const { publications } = complete({ ...first, acl: 7 }, NOW, policy, codec);
    assert.deepEqual(
      publications.map(p => [p.view.rev, p.view.acl]),
      [[2, 7]],
    );
  });

  it('takes out what time has ended, and is due when that time comes', () => {
    const lost: PersonDoc = {
      ...online(),
      endpoints: online().endpoints.map(e => ({ ...e, goneAt: NOW, lost: 'closed' as const })),
      manual: { state: 'busy', setAt: NOW, endsAt: NOW + 60_000 },
    };
    const { doc } = complete(lost, NOW, policy, codec);
    assert.equal(doc.nextChangeAt, NOW + 60_000);
    assert.equal(isDue(doc, NOW + 59_999), false);
    assert.equal(isDue(doc, NOW + 60_000), true);
    assert.equal(expire(doc, NOW + 59_999, policy.timing), doc);
    const after = complete(expire(doc, NOW + 60_000, policy.timing), NOW + 60_000, policy, codec);
    assert.deepEqual([after.doc.endpoints, after.doc.pods, after.doc.manual], [[], [], undefined]);
    assert.equal(after.doc.nextChangeAt, undefined);
    assert.match(textOf(after.doc, 'colleagues'), /"availability":18500.*#2$/);
  });

  it('keeps fields that a later version added', () => {
    const later = { ...online(), addedLater: 'x' } as PersonDoc;
    assert.equal((complete(later, NOW, policy, codec).doc as { addedLater?: string }).addedLater, 'x');
  });
});
