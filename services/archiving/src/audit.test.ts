import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { createCheckpointSigner } from './adapters/files/checkpoint-signer.ts';
import { type AuditDoc, archiveAudit } from './collections.ts';
import { AUDIT_GENESIS, auditHash } from './domain/audit-entry.ts';
import { createWorld, newKey, type World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());

async function begin(config: Parameters<typeof createWorld>[0] = {}) {
  world = await createWorld(config);
  world.directory.people = [
    { id: 'olga', primaryAddress: 'olga@north.example', displayName: 'Olga' },
    { id: 'ann', primaryAddress: 'ann@north.example', displayName: 'Ann' },
  ];
  await world.start();
  await world.append({ id: 'ann.1', text: 'hello' });
  await world.indexed();
}

const idOf = (number: number) => String(number).padStart(16, '0');
const copyFile = () => {
  const dir = join(world.dir, 'audit');
  return join(dir, readdirSync(dir)[0] ?? '');
};

describe('the audit log', () => {
  it('says who asked what and why, and what came of it', async () => {
    await begin();
    const { auditId } = await world.search({
      query: { words: 'hello', people: ['ann'], fromMs: 1_000n, untilMs: 2_000_000_000_000n },
    });
    await world.view({ recordId: 'ann.1', before: 2 });
    await world.verify();
    const { entries } = await world.entries();
    assert.deepEqual(
      entries.map(entry => [entry.number, entry.action]),
      [
        [3n, 'verify'],
        [2n, 'view'],
        [1n, 'search'],
      ],
    );
    const search = entries[2];
    assert.equal(search?.auditId, auditId);
    assert.deepEqual(
      [search.person?.id, search.person?.address, search.person?.displayName, search.peer],
      ['olga', 'olga@north.example', 'Olga', '192.0.2.7'],
    );
    assert.deepEqual([search.purpose?.caseId, search.purpose?.reason], ['HR-2026-014', 'complaint of 2 January']);
    assert.deepEqual(JSON.parse(search.detailJson), {
      ...{ people: ['ann'], any_person: false, words: 'hello', limit: 50 },
      ...{ from: '1970-01-01T00:00:01.000Z', until: '2033-05-18T03:33:20.000Z' },
    });
    assert.deepEqual(JSON.parse(search.outcomeJson), { records: 1, more: false, not_indexed: 0 });
    assert.deepEqual(JSON.parse(entries[1]?.outcomeJson ?? ''), { records: 1 });
    assert.equal(search.hash.length, 64);
  });

  it('has what was refused as well, since a refusal is an answer', async () => {
    await begin();
    await assert.rejects(world.search({ query: { people: ['nobody'] } }));
    await assert.rejects(world.view({ recordId: 'no.such' }));
    const gone = new AbortController();
    gone.abort(new Error('gone'));
    await assert.rejects(world.search({}, gone.signal), /gone/);
    const { entries } = await world.entries();
    assert.deepEqual(
      entries.map(entry => JSON.parse(entry.outcomeJson) as object),
      [{ refused: 'cancelled' }, { refused: 'archive.record_unknown' }, { refused: 'archive.person_unknown' }],
    );
  });

  it('holds a query of any size within its limit', async () => {
    await begin();
    const people = Array.from({ length: 50 }, (_, i) => `${'x'.repeat(250)}.${i}@north.example`);
    await assert.rejects(
      world.search({
        purpose: { caseId: '案'.repeat(128), reason: '由'.repeat(1_024) },
        query: { people, words: '字'.repeat(256) },
      }),
    );
    const [entry] = (await world.entries()).entries;
    assert.ok(Buffer.byteLength(entry?.detailJson ?? '') <= 8_192);
    assert.equal((JSON.parse(entry?.detailJson ?? '') as { people_count: number }).people_count, 50);
  });

  it('is written before anything is answered, or nothing is', async () => {
    await begin();
    await world.stop();
    const auditCopy = {
      ...world.auditCopy,
      append: async () => {
        throw new Error('the disk is full');
      },
    };
    await world.start({ auditCopy });
    const unavailable = { code: 'archive.audit_unavailable' };
    await assert.rejects(world.search(), unavailable);
    await assert.rejects(world.view({ recordId: 'ann.1' }), unavailable);
    await assert.rejects(world.view({ recordId: 'no.such' }), unavailable);
    await assert.rejects(world.export({ format: 2 }), unavailable);
    await assert.rejects(world.verify(), unavailable);
    assert.ok((await world.metric('parley_archive_audit_failures_total')) >= 5);
  });

  it('is listed by case, person and time, a page at a time', async () => {
    await begin();
    for (let i = 0; i < 7; i++) {
      const purpose = { caseId: i % 2 === 0 ? 'A' : 'B', reason: `n${i}` };
      await world.search({ purpose }, undefined, i < 4 ? 'olga' : 'ann');
      await world.clock.advance(1_000);
    }
    const reasons = async (request: Parameters<World['entries']>[0]) =>
      (await world.entries(request)).entries.map(entry => entry.purpose?.reason);
    assert.deepEqual(await reasons({ caseId: 'A' }), ['n6', 'n4', 'n2', 'n0']);
    assert.deepEqual(await reasons({ person: 'olga@north.example' }), ['n3', 'n2', 'n1', 'n0']);
    assert.deepEqual(await reasons({ person: 'ann', caseId: 'B' }), ['n5']);
    const at = (await world.entries()).entries.map(entry => entry.atMs);
    assert.deepEqual(await reasons({ fromMs: at[4] as bigint, untilMs: at[1] as bigint }), ['n4', 'n3', 'n2']);
    const paged: (string | undefined)[] = [];
    for (let cursor = '', i = 0; cursor !== '' || i === 0; i++) {
      const page = await world.entries({ limit: 3, cursor });
      paged.push(...page.entries.map(entry => entry.purpose?.reason));
      cursor = page.nextCursor;
    }
    assert.deepEqual(paged, ['n6', 'n5', 'n4', 'n3', 'n2', 'n1', 'n0']);
    const { nextCursor } = await world.entries({ limit: 3 });
    await assert.rejects(world.entries({ caseId: 'A', cursor: nextCursor }), { code: 'archive.cursor_invalid' });
    await assert.rejects(world.entries({ limit: 201 }), { field: 'limit' });
    await assert.rejects(world.entries({ person: 'nobody@north.example' }), { code: 'archive.person_unknown' });
    await assert.rejects(world.entries({ fromMs: 9n, untilMs: 8n }), { field: 'until_ms' });
  });

  it('keeps its numbers without gaps whoever writes at the same time', async () => {
    await begin();
    await Promise.all(Array.from({ length: 6 }, () => world.search()));
    await world.stop();
    await world.start();
    await world.search();
    const { intact, entries, checkpointed, findings } = await world.verifyEntries();
    assert.deepEqual(
      { intact, entries, checkpointed, findings },
      {
        ...{ intact: true, entries: 7n, checkpointed: 7n, findings: [] },
      },
    );
  });

  it('is written by several replicas in turn, each after the other', async () => {
    await begin();
    const replica = await world.replica();
    await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? world.search() : replica.search())));
    const verdict = await world.verifyEntries();
    assert.deepEqual([verdict.intact, verdict.entries, verdict.findings], [true, 10n, []]);
  });
});

describe('the check of the audit log finds', () => {
  async function filled(): Promise<void> {
    await begin();
    for (let i = 0; i < 5; i++) await world.search();
    await world.clock.advance(60_000);
    assert.deepEqual((await world.verifyEntries()).findings, []);
  }
  const findings = async () => (await world.verifyEntries()).findings;

  it('an entry that was changed', async () => {
    await filled();
    await world.tamper(archiveAudit, idOf(3), doc => ({ ...doc, reason: 'something harmless' }));
    assert.match((await findings()).join('; '), /^entry 3 was changed/);
  });

  it('an entry that was removed from the middle', async () => {
    await filled();
    await world.collection(archiveAudit).delete(idOf(2));
    assert.match((await findings()).join('; '), /1 missing before entry 3.*entry 2 is missing; the second place/);
  });

  it('the last entry cut off, however young', async () => {
    await begin();
    await world.search();
    await world.search();
    await world.collection(archiveAudit).delete(idOf(2));
    assert.deepEqual(await findings(), ['entry 2 is missing; the second place states that it was there']);
  });

  it('all of it gone', async () => {
    await filled();
    await world.collection(archiveAudit).deleteMany([1, 2, 3, 4, 5].map(idOf));
    const verdict = await world.verifyEntries();
    assert.deepEqual([verdict.intact, verdict.entries, verdict.findings.length], [false, 0n, 5]);
  });

  it('a chain rewritten by somebody who may write everything in the database', async () => {
    await filled();
    const rewritten: AuditDoc[] = [];
    let previous = AUDIT_GENESIS;
    for (const number of [1, 2, 3, 4]) {
      const doc = (await world.collection(archiveAudit).get(idOf(number))) as AuditDoc;
      const reason = number === 2 ? 'rewritten' : doc.reason;
      previous = auditHash(previous, {
        ...{ number, auditId: doc.auditId, atMs: doc.at, action: doc.action, peer: doc.peer },
        person: { id: doc.person, address: doc.address, displayName: doc.name },
        purpose: { caseId: doc.case, reason },
        ...{ detailJson: doc.detail, outcomeJson: doc.outcome },
      });
      rewritten.push({ ...doc, reason, hash: previous });
    }
    for (const doc of rewritten) await world.tamper(archiveAudit, doc._id, there => ({ ...there, ...doc }));
    await world.collection(archiveAudit).delete(idOf(5));
    const found = (await findings()).join('; ');
    assert.match(found, /entry 2 is not signed by a known key/);
    assert.match(found, /entry 4 is not the one that the second place states/);
    assert.match(found, /entry 5 is missing/);
  });

  it('a second place that was cut, or written to by somebody else', async () => {
    await filled();
    const lines = readFileSync(copyFile(), 'utf8').trimEnd().split('\n');
    const forged = { ...(JSON.parse(lines[0] as string) as object), hash: 'ff' };
    appendFileSync(copyFile(), `${JSON.stringify(forged)}\n`);
    assert.match((await findings()).join('; '), /about entry 1 in the second place is not signed/);
    writeFileSync(copyFile(), `${lines.slice(0, 2).join('\n')}\n`);
    assert.deepEqual(await findings(), ['entries 3 to 5 are not stated in the second place']);
  });

  it('nothing after a crash before the second place was written: it is caught up with at the start', async () => {
    await filled();
    const lines = readFileSync(copyFile(), 'utf8').trimEnd().split('\n');
    writeFileSync(copyFile(), `${lines.slice(0, -1).join('\n')}\n`);
    await world.stop();
    await world.start();
    const verdict = await world.verifyEntries();
    assert.deepEqual([verdict.findings, verdict.checkpointed], [[], 5n]);
  });

  it('at the start that entries are gone, and raises the alarm', async () => {
    await filled();
    await world.stop();
    await world.collection(archiveAudit).delete(idOf(5));
    await world.start();
    assert.equal(await world.metric('parley_archive_alarms_total{kind="audit_differs"}'), 1);
  });

  it('nothing after the key was changed, as long as the old public key is known', async () => {
    await filled();
    await world.stop();
    const next = newKey();
    await world.start({ signer: createCheckpointSigner(next.privatePem, [world.key.publicPem]) });
    await world.search();
    assert.deepEqual(await findings(), []);
    await world.stop();
    await world.start({ signer: createCheckpointSigner(newKey().privatePem) });
    assert.equal((await findings()).length > 5, true);
  });
});
