import assert from 'node:assert/strict';
import { ids, type Test } from './store.contract.ts';

/** Inserts, replaces, deletes; what meets what. */
export function writeContract(test: Test): void {
  test('reports a duplicate of the id and changes nothing', async s => {
    const id = s.unique();
    assert.deepEqual(await s.things.insert({ _id: id, rank: 1, tags: [id] }), { inserted: true });
    const second = await s.things.insert({ _id: id, rank: 2, tags: [`${id}b`] });
    assert.deepEqual(second, { inserted: false, index: '_id', existingId: id });
    assert.deepEqual(await s.things.get(id), { _id: id, _rev: 1, rank: 1, tags: [id] });
    assert.deepEqual(ids(await s.things.scan('tag', { equals: [`${id}b`], limit: 5 })), []);
  });

  test('reports a duplicate in a unique index by its name and the other document', async s => {
    const [a, b] = [s.unique(), s.unique()];
    await s.things.insert({ _id: a, mail: `${a}@a.example` });
    const result = await s.things.insert({ _id: b, mail: `${a}@a.example`, tags: [b] });
    assert.deepEqual(result, { inserted: false, index: 'mail', existingId: a });
    assert.equal(await s.things.get(b), undefined);
    assert.deepEqual(ids(await s.things.scan('tag', { equals: [b], limit: 5 })), []);
  });

  test('reports the id first, then unique indexes in the order of their declaration', async s => {
    const [a, b, badge] = [s.unique(), s.unique(), s.number()];
    await s.things.insert({ _id: a, mail: a });
    await s.things.insert({ _id: b, badge });
    const both = await s.things.insert({ _id: s.unique(), mail: a, badge });
    assert.deepEqual(both, { inserted: false, index: 'mail', existingId: a });
    const all = await s.things.insert({ _id: a, mail: a, badge });
    assert.deepEqual(all, { inserted: false, index: '_id', existingId: a });
  });

  test('treats null and missing as equal in a unique index that is not sparse', async s => {
    const [place, a, b] = [s.unique(), s.unique(), s.unique()];
    await s.entries.insert({ _id: a, place, key: null });
    assert.deepEqual(await s.entries.insert({ _id: b, place }), { inserted: false, index: 'place', existingId: a });
    assert.deepEqual(await s.entries.insert({ _id: b, place, key: 'k' }), { inserted: true });
  });

  test('lets any number of documents be without the first field of a sparse unique index', async s => {
    const made = await s.things.insertMany([
      { _id: s.unique() },
      { _id: s.unique(), mail: null },
      { _id: s.unique(), mail: null },
    ]);
    assert.ok(made.every(r => r.inserted));
  });

  test('a sparse unique index of two fields takes null in the second for a value', async s => {
    const badge = s.number();
    const [a, b] = [s.unique(), s.unique()];
    await s.things.insert({ _id: a, badge });
    assert.deepEqual(await s.things.insert({ _id: b, badge, group: null }), {
      inserted: false,
      index: 'badge',
      existingId: a,
    });
    assert.deepEqual(await s.things.insert({ _id: b, badge, group: b }), { inserted: true });
    const taken = await s.things.replace({ _id: b, badge }, 1);
    assert.deepEqual(taken, { replaced: false, reason: 'duplicate', index: 'badge', existingId: a });
    assert.deepEqual(await s.things.replace({ _id: a, badge: null }, 1), { replaced: true, revision: 2 });
    assert.deepEqual(await s.things.replace({ _id: b, badge }, 1), { replaced: true, revision: 2 });
  });

  test('inserts many, each on its own, with results in their order', async s => {
    const [a, b, c, d] = [s.unique(), s.unique(), s.unique(), s.unique()];
    await s.things.insert({ _id: a, mail: a });
    const results = await s.things.insertMany([
      { _id: b, mail: b },
      { _id: a },
      { _id: c, mail: a },
      { _id: d, mail: b },
      { _id: b },
      { _id: d },
    ]);
    assert.deepEqual(results, [
      { inserted: true },
      { inserted: false, index: '_id', existingId: a },
      { inserted: false, index: 'mail', existingId: a },
      { inserted: false, index: 'mail', existingId: b },
      { inserted: false, index: '_id', existingId: b },
      { inserted: true },
    ]);
    assert.deepEqual(await s.things.insertMany([]), []);
  });

  test('inserts thousands at once', async s => {
    const group = s.unique();
    const docs = Array.from({ length: 2500 }, (_, i) => ({ _id: `${group}-${i}`, group, rank: i }));
    assert.ok((await s.things.insertMany(docs)).every(r => r.inserted));
    assert.equal(await s.things.count('rank', { equals: [group] }, 10_000), 2500);
    assert.equal(await s.things.deleteMany([...docs.map(d => d._id), 'nobody']), 2500);
  });

  test('counts revisions from 1 and ignores one that is given', async s => {
    const id = s.unique();
    await s.things.insert({ _id: id, _rev: 17, more: 1 });
    assert.equal((await s.things.get(id))?._rev, 1);
    assert.deepEqual(await s.things.replace({ _id: id, more: 2 }, 1), { replaced: true, revision: 2 });
    assert.deepEqual(await s.things.replace({ _id: id, _rev: 9, more: 3 }, 2), { replaced: true, revision: 3 });
    assert.deepEqual(await s.things.get(id), { _id: id, _rev: 3, more: 3 });
  });

  test('replaces only what is there with the expected revision', async s => {
    const id = s.unique();
    assert.deepEqual(await s.things.replace({ _id: id }, 1), { replaced: false, reason: 'missing' });
    await s.things.insert({ _id: id, more: 1 });
    assert.deepEqual(await s.things.replace({ _id: id, more: 2 }, 2), { replaced: false, reason: 'revision' });
    assert.deepEqual(await s.things.get(id), { _id: id, _rev: 1, more: 1 });
  });

  test('refuses a replace that would break a unique index', async s => {
    const [a, b] = [s.unique(), s.unique()];
    await s.things.insertMany([
      { _id: a, mail: a },
      { _id: b, mail: b, tags: [b] },
    ]);
    const result = await s.things.replace({ _id: b, mail: a, tags: ['other'] }, 1);
    assert.deepEqual(result, { replaced: false, reason: 'duplicate', index: 'mail', existingId: a });
    assert.deepEqual(await s.things.get(b), { _id: b, _rev: 1, mail: b, tags: [b] });
    assert.deepEqual(await s.things.replace({ _id: b, mail: b }, 1), { replaced: true, revision: 2 });
  });

  test('a replace moves the document in every index, and drops the fields it lacks', async s => {
    const [id, g] = [s.unique(), s.unique()];
    await s.things.insert({
      _id: id,
      group: g,
      rank: 1,
      tags: ['a', g],
      mail: id,
      dueMs: 5,
      words: ['old', 'both'],
      room: g,
      sentMs: 1,
    });
    await s.things.replace(
      { _id: id, group: `${g}x`, rank: 2, tags: [`${g}x`], words: ['new', 'both'], room: g, sentMs: 2 },
      1,
    );
    const at = async (index: string, equals: readonly string[], words?: string[]) =>
      ids(await s.things.scan(index, { equals, limit: 5, ...(words ? { words } : {}) }));
    assert.deepEqual(await at('rank', [g]), []);
    assert.deepEqual(await at('rank', [`${g}x`]), [id]);
    assert.deepEqual(await at('tag', [g]), []);
    assert.deepEqual(await at('tag', [`${g}x`]), [id]);
    assert.deepEqual(await at('mail', [id]), []);
    assert.deepEqual(await at('search', [g], ['old']), []);
    assert.deepEqual(await at('search', [g], ['new', 'both']), [id]);
    assert.equal('dueMs' in ((await s.things.get(id)) ?? {}), false);
  });

  test('keeps fields it does not know when a replace spreads them', async s => {
    const id = s.unique();
    const later = { _id: id, more: 1, ofALaterVersion: { a: [new Uint8Array([1])] } };
    await s.things.insert(later);
    const read = await s.things.get(id);
    assert.ok(read);
    await s.things.replace({ ...read, more: 2 }, 1);
    assert.deepEqual(await s.things.get(id), { ...later, more: 2, _rev: 2 });
  });

  test('of many replaces of one revision exactly one wins', async s => {
    const id = s.unique();
    await s.things.insert({ _id: id, more: 'start' });
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => s.things.replace({ _id: id, more: i }, 1)));
    const winners = results.flatMap((r, i) => (r.replaced ? [i] : []));
    assert.equal(winners.length, 1);
    assert.ok(results.every(r => r.replaced || r.reason === 'revision'));
    assert.deepEqual(await s.things.get(id), { _id: id, _rev: 2, more: winners[0] });
  });

  test('of many inserts of one id, and of one unique value, exactly one wins', async s => {
    const [id, mail] = [s.unique(), s.unique()];
    const same = await Promise.all(Array.from({ length: 50 }, (_, i) => s.things.insert({ _id: id, more: i })));
    assert.equal(same.filter(r => r.inserted).length, 1);
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) => s.things.insert({ _id: `${mail}-${i}`, mail })),
    );
    const winner = results.findIndex(r => r.inserted);
    assert.equal(results.filter(r => r.inserted).length, 1);
    for (const r of results)
      if (!r.inserted) assert.deepEqual(r, { inserted: false, index: 'mail', existingId: `${mail}-${winner}` });
  });

  test('takes 200 inserts and gets at once', async s => {
    const group = s.unique();
    const made = Array.from({ length: 200 }, (_, i) => ({
      _id: `${group}-${i}`,
      group,
      rank: i,
      tags: [group, `${i}`],
    }));
    assert.ok((await Promise.all(made.map(d => s.things.insert(d)))).every(r => r.inserted));
    const read = await Promise.all(made.map(d => s.things.get(d._id)));
    assert.deepEqual(
      read,
      made.map(d => ({ ...d, _rev: 1 })),
    );
    assert.deepEqual((await s.things.getMany([...made.map(d => d._id), made[0]?._id ?? '', 'nobody'])).length, 200);
    assert.equal(await s.things.get('nobody'), undefined);
  });

  test('writes of one caller follow each other', async s => {
    const id = s.unique();
    for (let i = 0; i < 20; i++) {
      await s.things.insert({ _id: id, rank: i });
      assert.equal((await s.things.get(id))?.rank, i);
      assert.equal(await s.things.delete(id), true);
      assert.equal(await s.things.get(id), undefined);
    }
  });

  test('deletes by id, by revision, and many; and takes the document out of every index', async s => {
    const [a, b] = [s.unique(), s.unique()];
    const doc = { group: a, tags: [a], mail: a, names: [a], words: ['w'], room: a, sentMs: 1 };
    await s.things.insertMany([{ _id: a, ...doc }, { _id: b }]);
    assert.equal(await s.things.delete(a, 2), false);
    assert.equal(await s.things.delete(a, 1), true);
    assert.equal(await s.things.delete(a), false);
    for (const index of ['rank', 'tag', 'mail', 'name'])
      assert.deepEqual(ids(await s.things.scan(index, { equals: [a], limit: 5 })), [], index);
    assert.deepEqual(ids(await s.things.scan('search', { equals: [a], words: ['w'], limit: 5 })), []);
    assert.deepEqual(await s.things.insert({ _id: a, ...doc }), { inserted: true });
    assert.equal(await s.things.deleteMany([a, b, a, 'nobody']), 2);
    assert.equal(await s.things.deleteMany([]), 0);
  });

  test('collections do not meet', async s => {
    const id = s.unique();
    await s.things.insert({ _id: id, mail: id });
    assert.deepEqual(await s.others.insert({ _id: id, mail: id }), { inserted: true });
    assert.equal(await s.others.delete(id), true);
    assert.equal((await s.things.get(id))?.mail, id);
  });
}
