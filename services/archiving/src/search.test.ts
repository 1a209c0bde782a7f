import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { ArchiveRecordKind } from '@parley/contracts/event/v1/archive_record';
import { archiveContents, archiveIndex } from './collections.ts';
import type { ArchivingConfig } from './config.ts';
import { NINE, type RecordInit } from './testing/records.ts';
import { createWorld, type World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());

const DAY = 86_400_000;
const ann = { id: 'ann', address: 'ann@north.example', displayName: 'Ann 安' };
const bob = { id: 'bob', address: 'bob@north.example', displayName: 'Bob' };
const cho = { id: 'cho', address: 'cho@south.example', displayName: '周' };

async function begin(config: Partial<ArchivingConfig> = {}, partitions = 1) {
  world = await createWorld(config, partitions);
  world.directory.people = [
    { id: 'ann', primaryAddress: 'ann@north.example', displayName: 'Ann 安', former: ['ann.old@north.example'] },
    { id: 'bob', primaryAddress: 'bob@north.example', displayName: 'Bob' },
    { id: 'olga', primaryAddress: 'olga@north.example', displayName: 'Olga' },
  ];
  await world.start();
}

async function archive(...records: RecordInit[]) {
  await world.append(...records);
  await world.indexed();
}

const said = (id: string, text: string, more: Partial<RecordInit> = {}): RecordInit => ({
  ...{ id, text, people: [ann, bob] },
  ...more,
});

describe('a search', () => {
  it('finds by person, time, conversation and words, and by all of them together', async () => {
    await begin({}, 2);
    await archive(
      said('ann.1', 'The budget for Tuesday', { atMs: NINE }),
      said('bob.1', '明天的會議改到第二會議室', { atMs: NINE + 60_000, sender: 'bob' }),
      said('cho.1', 'budget 👍', { atMs: NINE + DAY, people: [ann, cho], conversation: 'd_2', sender: 'cho' }),
      said('cho.2', 'Nothing', { atMs: NINE + 2 * DAY, people: [bob, cho], conversation: 'd_3', sender: 'cho' }),
    );
    assert.deepEqual(await world.texts({}), [
      'Nothing',
      'budget 👍',
      '明天的會議改到第二會議室',
      'The budget for Tuesday',
    ]);
    assert.deepEqual(await world.texts({ people: ['ann'] }), [
      'budget 👍',
      '明天的會議改到第二會議室',
      'The budget for Tuesday',
    ]);
    assert.deepEqual(await world.texts({ people: ['ann', 'cho'] }), ['budget 👍']);
    assert.deepEqual((await world.texts({ people: ['ann', 'cho'], anyPerson: true })).length, 4);
    assert.deepEqual(await world.texts({ words: '會議室' }), ['明天的會議改到第二會議室']);
    assert.deepEqual(await world.texts({ words: 'BUDGET' }), ['budget 👍', 'The budget for Tuesday']);
    assert.deepEqual(await world.texts({ words: 'budget 👍' }), ['budget 👍']);
    assert.deepEqual(await world.texts({ words: 'budget', people: ['bob'] }), ['The budget for Tuesday']);
    assert.deepEqual(await world.texts({ conversationId: 'd_3' }), ['Nothing']);
    assert.deepEqual(await world.texts({ fromMs: BigInt(NINE + 60_000), untilMs: BigInt(NINE + DAY) }), [
      '明天的會議改到第二會議室',
    ]);
    assert.deepEqual(await world.texts({ words: 'budget', untilMs: BigInt(NINE + DAY), people: ['ann'] }), [
      'The budget for Tuesday',
    ]);
    assert.deepEqual(await world.texts({ words: 'nowhere' }), []);
  });

  it('shows people as they were then, and where the record stands', async () => {
    await begin();
    await archive(said('ann.1', 'hello'));
    const { items, nextCursor, auditId, notIndexed } = await world.search({ query: { words: 'hello' } });
    const [item] = items;
    assert.ok(item);
    assert.deepEqual(
      [item?.recordId, item?.state, item?.kind, item?.decidedBy, item?.conversationId, item?.acceptedMs],
      ['ann.1', 1, 'message', 'global', 'd_1', BigInt(NINE)],
    );
    assert.equal(item?.linkId, (await world.links())[0]?._id);
    assert.equal(item.sender?.displayName, 'Ann 安');
    assert.deepEqual(
      item.recipients.map(person => person.address),
      ['bob@north.example'],
    );
    assert.deepEqual([nextCursor, notIndexed], ['', 0n]);
    assert.notEqual(auditId, '');
  });

  it('finds people by addresses of now and before, and by those they were archived under', async () => {
    await begin();
    await archive(
      said('ann.1', 'from Ann', { people: [{ ...ann, address: 'ann.then@north.example' }, bob] }),
      said('gone.1', 'from one who left', {
        people: [{ id: 'gone', address: 'Gone@North.example', displayName: 'Gone' }, cho],
        conversation: 'd_9',
        sender: 'gone',
      }),
    );
    for (const address of ['ann@north.example', 'ANN@north.example', 'ann.old@north.example', 'ann.then@north.example'])
      assert.deepEqual(await world.texts({ people: [address] }), ['from Ann'], address);
    assert.deepEqual(await world.texts({ people: ['gone@north.example'] }), ['from one who left']);
    assert.deepEqual(await world.texts({ people: ['gone'] }), ['from one who left']);
    for (const person of ['nobody@north.example', 'nobody'])
      await assert.rejects(world.search({ query: { people: ['ann', person] } }), {
        code: 'archive.person_unknown',
        field: 'query.people[1]',
      });
  });

  it('is refused when the directory does not answer, since it would not be known who is meant', async () => {
    await begin();
    await archive(said('ann.1', 'hello'));
    world.directory.down = true;
    await assert.rejects(world.search({ query: { people: ['ann@north.example'] } }), {
      code: 'archive.directory_unavailable',
    });
    assert.equal((await world.search({ query: { words: 'hello' } })).items.length, 1);
  });

  it('comes in pages that repeat and miss nothing, while archiving goes on', async () => {
    await begin({}, 3);
    const all = Array.from({ length: 90 }, (_, i) =>
      said(`ann.${i}`, `word ${i % 2 === 0 ? 'even' : 'odd'} ${i}`, {
        atMs: NINE + Math.floor(i / 3) * 400_000,
        conversation: `d_${i % 5}`,
      }),
    );
    await archive(...all);
    let late = 0;
    for (const query of [{}, { words: 'even' }, { people: ['ann'] }, { people: ['ann'], words: 'odd' }]) {
      const whole = (await world.search({ query, limit: 200 })).items.map(item => item.recordId);
      const paged: string[] = [];
      for (let cursor = '', i = 0; cursor !== '' || i === 0; i++) {
        const page = await world.search({ query, limit: 7, cursor });
        paged.push(...page.items.map(item => item.recordId));
        cursor = page.nextCursor;
        await archive(
          said(`late.${++late}`, 'word even odd', {
            atMs: NINE + 9 * DAY + late,
            conversation: 'd_1',
          }),
        );
      }
      assert.deepEqual(paged, whole);
    }
  });

  it('ends a page early when its time is over, and goes on from there', async () => {
    await begin({ searchBudgetMs: 10 });
    await archive(...Array.from({ length: 20 }, (_, i) => said(`ann.${i}`, `n ${i}`, { atMs: NINE + i * DAY })));
    const { clock } = world;
    const monotonic = clock.monotonic.bind(clock);
    let calls = 0;
    clock.monotonic = () => monotonic() + 4 * calls++;
    const found: string[] = [];
    let pages = 0;
    for (let cursor = ''; cursor !== '' || pages === 0; pages++) {
      const page = await world.search({ query: { words: 'n' }, limit: 200, cursor });
      found.push(...page.items.map(item => item.recordId));
      cursor = page.nextCursor;
    }
    assert.ok(pages > 3, `${pages} pages`);
    assert.deepEqual(
      found,
      Array.from({ length: 20 }, (_, i) => `ann.${19 - i}`),
    );
  });

  it('tells versions, refused and unreadable records apart, and never shows a repetition', async () => {
    await begin();
    const no = ArchiveRecordKind.NOT_ACCEPTED;
    await world.append(
      said('ann.1', 'said'),
      said('ann.1', 'said'),
      said('ann.1', 'other', { hash: 2 }),
      said('ann.2', 'refused'),
      said('ann.2', 'refused', { kind: no }),
      Buffer.from('noise'),
    );
    await world.indexed();
    const { items } = await world.search({ limit: 200 });
    const found = items.map(item => `${item.text}:${item.state}`).sort();
    assert.deepEqual(found, [':5', 'other:3', 'refused:4', 'said:1']);
    assert.deepEqual((await world.search({ query: { people: ['ann'] } })).items.length, 3);
    const parked = items.find(item => item.state === 5);
    const { raw } = await world.view({ recordId: parked?.recordId ?? '' });
    assert.equal(Buffer.from(raw).toString(), 'noise');
  });

  it('does not show what the index says but what the record says', async () => {
    await begin();
    await archive(said('ann.1', 'innocent'));
    const [block] = (await world.collection(archiveIndex).scan('days', { limit: 10 })).docs;
    const words = block?.words.map(word => (word === 'innocent' ? 'guilty' : word)) ?? [];
    await world.tamper(archiveIndex, block?._id ?? '', doc => ({ ...doc, words }));
    assert.deepEqual(await world.texts({ words: 'guilty' }), []);
  });

  it('finds a text of many thousand different words by each of them', async () => {
    await begin();
    const many = Array.from({ length: 7_900 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7) % 20_000))).join('');
    await archive(said('ann.1', many), said('ann.2', 'short', { atMs: NINE + 1 }));
    for (const words of [many.slice(5, 9), many.slice(7_000, 7_002), many.at(-1)])
      assert.deepEqual(
        (await world.search({ query: { words: words ?? '' } })).items.map(item => item.recordId),
        ['ann.1'],
      );
    assert.deepEqual(await world.texts({ words: 'short' }), ['short']);
  });

  it('finds nothing of a record that was purged, and says nothing wrong about the others', async () => {
    await begin();
    await archive(said('ann.1', 'one'), said('ann.2', 'two', { atMs: NINE + 1 }));
    await world.collection(archiveContents).delete('ann.1');
    assert.deepEqual(await world.texts({}), ['two']);
  });

  it('refuses more at a time than allowed', async () => {
    await begin({ maxSearches: 1 });
    const both = await Promise.allSettled([world.search(), world.search()]);
    assert.deepEqual(
      both.map(one => one.status),
      ['fulfilled', 'rejected'],
    );
    await world.search();
  });
});

describe('the purpose and the query', () => {
  const refused = (request: Parameters<World['search']>[0], field: string, code: string) =>
    assert.rejects(world.search(request), { field, code });

  it('are compulsory and limited, and a refusal names the field', async () => {
    await begin();
    const purpose = { caseId: 'A-1', reason: 'because' };
    await refused({ purpose: { caseId: '', reason: 'x' } }, 'purpose.case_id', 'archive.field_missing');
    await refused({ purpose: { caseId: 'A', reason: ' ' } }, 'purpose.reason', 'archive.field_missing');
    await refused({ purpose: { caseId: 'x'.repeat(129), reason: 'x' } }, 'purpose.case_id', 'archive.field_too_long');
    await refused({ purpose: { caseId: 'x', reason: 'x'.repeat(1_025) } }, 'purpose.reason', 'archive.field_too_long');
    await refused({ purpose: { caseId: 'a\nb', reason: 'x' } }, 'purpose.case_id', 'archive.field_invalid');
    const query = (field: string, value: Parameters<World['texts']>[0], code = 'archive.field_invalid') =>
      refused({ purpose, query: value }, field, code);
    await query('query.people', { people: Array.from({ length: 51 }, () => 'ann') }, 'archive.field_too_long');
    await query('query.people[1]', { people: ['ann', 'a b'] });
    await query('query.people[0]', { people: [''] });
    await query('query.people[0]', { people: ['a@b@c'] });
    await query('query.people[0]', { people: [`${'x'.repeat(320)}@y`] }, 'archive.field_too_long');
    await query('query.words', { words: 'x'.repeat(257) }, 'archive.field_too_long');
    await query('query.words', { words: '...' });
    await query('query.conversation_id', { conversationId: 'a b' });
    await query('query.from_ms', { fromMs: -1n });
    await query('query.until_ms', { fromMs: 5n, untilMs: 5n });
    await refused({ purpose, limit: 201 }, 'limit', 'archive.field_invalid');
    for (const cursor of ['x', Buffer.from('[]').toString('base64url'), 'y'.repeat(20_000)])
      await refused({ purpose, cursor }, 'cursor', 'archive.cursor_invalid');
  });

  it('bind a cursor to one query', async () => {
    await begin();
    await archive(said('ann.1', 'one'), said('ann.2', 'one', { atMs: NINE + 1 }));
    const { nextCursor } = await world.search({ query: { words: 'one' }, limit: 1 });
    assert.notEqual(nextCursor, '');
    await refused({ query: { words: 'two' }, cursor: nextCursor }, 'cursor', 'archive.cursor_invalid');
    assert.equal((await world.search({ query: { words: 'one' }, cursor: nextCursor })).items[0]?.recordId, 'ann.1');
  });
});

describe('a view', () => {
  it('shows what was said before and after, in the order of the conversation, and the bytes', async () => {
    await begin({}, 2);
    await archive(
      ...Array.from({ length: 30 }, (_, i) => [
        said(`ann.${i}`, `mine ${i}`, { atMs: NINE + i * 7_200_000, key: `k${String(i).padStart(3, '0')}` }),
        said(`cho.${i}`, `other ${i}`, { atMs: NINE + i * 7_200_000, conversation: 'd_2' }),
      ]).flat(),
    );
    const { items, raw } = await world.view({ recordId: 'ann.15', before: 3, after: 20 });
    assert.deepEqual(
      items.map(item => item.text),
      Array.from({ length: 18 }, (_, i) => `mine ${12 + i}`),
    );
    assert.deepEqual(Buffer.from(raw), Buffer.from((await world.content('ann.15')).raw));
    assert.deepEqual((await world.view({ recordId: 'ann.15' })).items.length, 1);
    const edge = await world.view({ recordId: 'ann.29', before: 100, after: 100 });
    assert.equal(edge.items.length, 30);
  });

  it('goes by the key where times are equal', async () => {
    await begin();
    await archive(
      said('ann.1', 'first', { key: 'k1' }),
      said('ann.2', 'third', { key: 'k3' }),
      said('ann.3', 'second', { key: 'k2' }),
    );
    const { items } = await world.view({ recordId: 'ann.3', before: 5, after: 5 });
    assert.deepEqual(
      items.map(item => item.text),
      ['first', 'second', 'third'],
    );
  });

  it('is refused for what is not there or no id', async () => {
    await begin();
    await archive(said('ann.1', 'one'));
    await assert.rejects(world.view({ recordId: 'ann.9' }), { code: 'archive.record_unknown', field: 'record_id' });
    await assert.rejects(world.view({ recordId: '' }), { code: 'archive.field_missing', field: 'record_id' });
    await assert.rejects(world.view({ recordId: 'a b' }), { code: 'archive.field_invalid' });
    await assert.rejects(world.view({ recordId: 'ann.1', before: 101 }), { field: 'before' });
    await assert.rejects(world.view({ recordId: 'ann.1', after: 101 }), { field: 'after' });
  });
});
