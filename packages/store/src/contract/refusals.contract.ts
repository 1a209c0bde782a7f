import assert from 'node:assert/strict';
import type { CollectionSpec, Doc, ScanQuery, Value } from '../store.ts';
import { type Thing, things } from './fixture.ts';
import { refused, type Test } from './store.contract.ts';

/** What is refused, with which code, before anything is done. */
export function refusalContract(test: Test): void {
  test('refuses ids that are empty, too long, not text, or hold NUL', async s => {
    for (const id of ['', 'x'.repeat(257), '你'.repeat(86), 'a\0b', '\ud800', undefined, 7]) {
      const bad = id as string;
      await refused(s.things.get(bad), 'store.bad_id');
      await refused(s.things.getMany(['x', bad]), 'store.bad_id');
      await refused(s.things.insert({ _id: bad }), 'store.bad_id');
      await refused(s.things.insertMany([{ _id: 'fine' }, { _id: bad }]), 'store.bad_id');
      await refused(s.things.replace({ _id: bad }, 1), 'store.bad_id');
      await refused(s.things.delete(bad), 'store.bad_id');
      await refused(s.things.deleteMany([bad]), 'store.bad_id');
    }
    assert.equal(await s.things.get('fine'), undefined);
  });

  const bad: Readonly<Record<string, unknown>> = {
    NaN: Number.NaN,
    infinity: Number.POSITIVE_INFINITY,
    'a big integer': 1n,
    'a function': () => 1,
    'a date': new Date(0),
    'a map': new Map(),
    'half a character': 'a\udc00',
    'an array with a hole': [1, undefined],
    'a name with a dot': { 'a.b': 1 },
    'a name with a dollar': { $set: 1 },
    'an empty name': { '': 1 },
    'a name of the driver': { _bsontype: 'ObjectId' },
    'a prototype': JSON.parse('{"__proto__":{"x":1}}') as unknown,
    'too many levels': Array.from({ length: 40 }).reduce<Value>(inner => [inner], 1),
  };
  for (const [what, value] of Object.entries(bad)) {
    test(`refuses ${what} in a document`, async s => {
      const doc = { _id: s.unique(), more: value as Value };
      await refused(s.things.insert(doc), 'store.bad_document');
      await refused(s.things.replace(doc, 1), 'store.bad_document');
      assert.equal(await s.things.get(doc._id), undefined);
    });
  }

  const badFields: Readonly<Record<string, object>> = {
    'an object in an indexed field': { group: { a: 1 } },
    'bytes in an indexed field': { group: new Uint8Array(1) },
    'an array in an indexed field that is not declared as one': { group: ['a'] },
    'a long string in an indexed field': { group: 'x'.repeat(1025) },
    'null among the elements of an indexed array': { tags: ['a', null] },
    'an object among them': { tags: [{}] },
    'too many elements': { tags: Array.from({ length: 1001 }, (_, i) => `t${i}`) },
    'an empty word': { words: [''] },
    'a word that is a number': { words: [1] },
    'words that are no array': { words: 'hello' },
    'a name of the store': { _doc: 1 },
  };
  for (const [what, fields] of Object.entries(badFields)) {
    test(`refuses ${what}`, async s => {
      await refused(s.things.insert({ _id: s.unique(), ...fields } as Thing), 'store.bad_document');
    });
  }

  const badQueries: Readonly<Record<string, readonly [string, Partial<ScanQuery>]>> = {
    'a limit of 0': ['rank', { limit: 0 }],
    'a limit beyond 10,000': ['rank', { limit: 10_001 }],
    'half a limit': ['rank', { limit: 1.5 }],
    'more equals than fields': ['rank', { equals: ['a', 1, 'x'] }],
    'an object in equals': ['rank', { equals: [{}] }],
    'undefined in equals': ['rank', { equals: [undefined as unknown as Value] }],
    'a null bound': ['rank', { equals: ['a'], range: { gt: null } }],
    'two lower bounds': ['rank', { equals: ['a'], range: { gt: 1, gte: 1 } }],
    'bounds of two types': ['rank', { equals: ['a'], range: { gt: 1, lt: 'a' } }],
    'a range with no field left': ['mail', { equals: ['a'], range: { gt: 1 } }],
    'an array index without its element': ['tag', {}],
    'words for an ordered index': ['rank', { words: ['a'] }],
    'a search without scope': ['search', { words: ['a'] }],
    'a search without words': ['search', { equals: ['a'] }],
    'a search with too many words': ['search', { equals: ['a'], words: Array.from({ length: 33 }, (_, i) => `w${i}`) }],
    'a search for an empty word': ['search', { equals: ['a'], words: [''] }],
    'a search with oldest first': ['search', { equals: ['a'], words: ['a'], order: 'asc' }],
  };
  for (const [what, [index, query]] of Object.entries(badQueries)) {
    test(`refuses ${what}`, async s => {
      await refused(s.things.scan(index, { limit: 5, ...query }), 'store.bad_query');
    });
  }

  test('refuses an index that is not declared', async s => {
    await refused(s.things.scan('nobody', { limit: 1 }), 'store.unknown_index');
    await refused(s.things.count('nobody', {}, 1), 'store.unknown_index');
    await refused(s.things.scan('constructor', { limit: 1 }), 'store.unknown_index');
  });

  test('refuses too many at once, and revisions that cannot be', async s => {
    const many = Array.from({ length: 10_001 }, (_, i) => `${i}`);
    await refused(s.things.getMany(many.slice(0, 1001)), 'store.bad_query');
    await refused(s.things.deleteMany(many), 'store.bad_query');
    await refused(s.things.insertMany(many.map(_id => ({ _id }))), 'store.bad_query');
    await refused(s.things.replace({ _id: 'x' }, 0), 'store.bad_query');
    await refused(s.things.delete('x', 1.5), 'store.bad_query');
    await refused(s.things.count('rank', {}, 0), 'store.bad_query');
    await refused(s.things.count('search', { equals: ['a'] }, 1), 'store.bad_query');
  });

  test('refuses a cursor of another index, equals, order, words or collection, and a damaged one', async s => {
    const group = s.unique();
    const doc = (i: number) => ({ group, rank: i, tags: [group], words: ['a', 'b'], room: group, sentMs: i });
    for (const c of [s.things, s.others]) await c.insertMany([1, 2, 3].map(i => ({ _id: `${group}-${i}`, ...doc(i) })));
    const { next } = await s.things.scan('rank', { equals: [group], limit: 1 });
    const search = await s.things.scan('search', { equals: [group], words: ['a'], limit: 1 });
    assert.ok(next && search.next);
    const query = { equals: [group], limit: 1, after: next };
    await refused(s.things.scan('tag', query), 'store.bad_cursor');
    await refused(s.things.scan('rank', { ...query, equals: [`${group}x`] }), 'store.bad_cursor');
    await refused(s.things.scan('rank', { ...query, equals: [] }), 'store.bad_cursor');
    await refused(s.things.scan('rank', { ...query, order: 'desc' }), 'store.bad_cursor');
    await refused(s.others.scan('rank', query), 'store.bad_cursor');
    await refused(
      s.things.scan('search', { equals: [group], words: ['b'], limit: 1, after: search.next }),
      'store.bad_cursor',
    );
    for (const after of [
      '',
      'x',
      'bm8',
      Buffer.from('[1,2,3]').toString('base64url'),
      next.slice(0, -3),
      `${next}AAAA`,
    ])
      await refused(s.things.scan('rank', { ...query, after }), 'store.bad_cursor');
    assert.equal((await s.things.scan('rank', query)).docs[0]?._id, `${group}-2`);
  });

  const badSpecs: Readonly<Record<string, Omit<CollectionSpec<Doc>, 'name'> & { name?: string }>> = {
    'a name with capitals': { name: 'Things', indexes: {} },
    'an index without fields': { indexes: { a: { kind: 'ordered', fields: [] } } },
    'a field that stands twice': { indexes: { a: { kind: 'ordered', fields: ['x', 'x'] } } },
    'a nested field': { indexes: { a: { kind: 'ordered', fields: ['x.y'] } } },
    'the id in front of another field': { indexes: { a: { kind: 'ordered', fields: ['_id', 'x'] } } },
    'an array that is no field': { indexes: { a: { kind: 'ordered', fields: ['x'], array: 'y' } } },
    'a field that is array here and not there': {
      indexes: { a: { kind: 'ordered', fields: ['x'], array: 'x' }, b: { kind: 'ordered', fields: ['x'] } },
    },
    'a unique index with an array': { indexes: { a: { kind: 'unique', fields: ['x'], array: 'x' } as never } },
    'clustering by a sparse index': {
      indexes: { a: { kind: 'ordered', fields: ['x'], sparse: true } },
      clusterBy: 'a',
    },
    'clustering by nothing': { indexes: {}, clusterBy: 'a' },
    'fields that differ in case': { indexes: { a: { kind: 'ordered', fields: ['key', 'Key'] } } },
  };
  for (const [what, spec] of Object.entries(badSpecs)) {
    test(`refuses a declaration with ${what}`, async s => {
      await refused((async () => s.store.collection({ name: 'contract_bad', ...spec }))(), 'store.bad_spec');
      await refused(s.store.migrate([{ name: 'contract_bad', ...spec }]), 'store.bad_spec');
    });
  }

  test('says that a collection or an index was not migrated', async s => {
    await refused(
      s.store.collection({ name: 'contract_missing', indexes: {} }).insert({ _id: 'x' }),
      'store.not_migrated',
    );
    const more = { ...things, indexes: { ...things.indexes, late: { kind: 'ordered', fields: ['late'] } } } as const;
    await refused(s.store.collection(more).get('x'), 'store.not_migrated');
  });

  test('builds a new index over the documents there, and keeps the old ones right', async s => {
    const name = 'contract_growing';
    const first: CollectionSpec<Thing> = {
      name,
      indexes: { mail: { kind: 'unique', fields: ['mail'], sparse: true } },
    };
    await s.store.migrate([first]);
    const before = s.store.collection(first);
    const doc = {
      _id: 'a',
      mail: 'a',
      group: 'g',
      rank: null,
      tags: ['t'],
      words: ['w'],
      room: 'r',
      sentMs: 1,
      payload: new Uint8Array([1]),
    };
    await before.insertMany([doc, { _id: 'b', group: 'h' }]);
    const { rank, tag, search, mail } = things.indexes;
    const second = { name, indexes: { mail, rank, tag, search } } as CollectionSpec<Thing>;
    await s.store.migrate([second]);
    const later = s.store.collection(second);
    assert.deepEqual((await later.scan('rank', { equals: ['g', null], limit: 5 })).docs, [{ ...doc, _rev: 1 }]);
    assert.equal((await later.scan('tag', { equals: ['t'], limit: 5 })).docs.length, 1);
    assert.equal((await later.scan('search', { equals: ['r'], words: ['w'], limit: 5 })).docs.length, 1);
    // A process of the version before goes on beside.
    await before.insert({ _id: 'c', group: 'g', rank: 7 });
    assert.deepEqual(await before.get('a'), { ...doc, _rev: 1 });
    assert.equal(await later.count('rank', { equals: ['g'] }, 9), 2);
    const changed = { name, indexes: { mail: { kind: 'unique', fields: ['mail', 'group'], sparse: true } } } as const;
    await refused(s.store.migrate([changed]), 'store.bad_spec');
  });
}
