import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { ExportFormat } from '@parley/contracts/archive/v1/archive';
import { ArchiveRecordKind } from '@parley/contracts/event/v1/archive_record';
import { archiveContents } from './collections.ts';
import type { ArchivingConfig } from './config.ts';
import { checkedIn, linesOf } from './testing/exports.ts';
import { NINE, type RecordInit, recordOf } from './testing/records.ts';
import { createWorld, type Exported, until, type World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());

const DAY = 86_400_000;
const { EML, JSONL } = ExportFormat;
const ann = { id: 'ann', address: 'ann@north.example', displayName: 'Ann 安' };
const bob = { id: 'bob', address: 'bob@north.example', displayName: 'Bob "the \r\nBcc: x" <evil>' };

async function begin(config: Partial<ArchivingConfig> = {}, partitions = 1) {
  world = await createWorld({ exportSettleMs: 1_000, settlePollMs: 10, ...config }, partitions);
  world.directory.people = [{ id: 'olga', primaryAddress: 'olga@north.example', displayName: 'Olga' }];
  await world.start();
}

const said = (id: string, text: string, more: Partial<RecordInit> = {}): RecordInit => ({
  ...{ id, text, people: [ann, bob] },
  ...more,
});

async function archive(...records: RecordInit[]) {
  await world.append(...records);
  await world.indexed();
}

const checked = (exported: Exported) => checkedIn(world, exported);

describe('an export as JSON lines', () => {
  it('holds every record of the query, oldest first, a file a day, with the bytes that were archived', async () => {
    await begin({}, 2);
    await archive(
      said('ann.1', 'first\nline', { atMs: NINE }),
      said('bob.1', '第二 👍', { atMs: NINE + 1, sender: 'bob', conversation: 'd_2' }),
      said('ann.2', 'next day', { atMs: NINE + DAY }),
      said('cho.1', 'of others', { atMs: NINE + DAY, people: [{ id: 'cho' }], conversation: 'd_3', sender: 'cho' }),
    );
    const exported = await world.export({ format: JSONL, query: { people: ['ann@north.example'] } });
    const manifest = checked(exported);
    assert.deepEqual(
      manifest.files.map(file => [file.path, file.records]),
      [
        ['records/2026-01-05.jsonl', 2],
        ['records/2026-01-06.jsonl', 1],
      ],
    );
    const lines = linesOf(exported);
    assert.deepEqual(
      lines.map(line => line['text']),
      ['first\nline', '第二 👍', 'next day'],
    );
    const { raw, link_id, link_hash, raw_sha256, ...rest } = lines[0] ?? {};
    const link = (await world.links()).find(one => one._id === link_id);
    assert.deepEqual(Buffer.from(String(raw), 'base64'), Buffer.from((await world.content('ann.1')).raw));
    assert.equal(Buffer.from(link?.hashes ?? []).toString('hex'), `${String(raw_sha256)}${String(link_hash)}`);
    assert.deepEqual(rest, {
      ...{ record_id: 'ann.1', state: 'archived', accepted: '2026-01-05T08:00:00.000Z', accepted_ms: NINE },
      ...{ conversation_id: 'd_1', kind: 'message', key: '0000000000000abcde', decided_by: 'global', critical: false },
      sender: { id: 'ann', address: 'ann@north.example', display_name: 'Ann 安' },
      recipients: [{ id: 'bob', address: 'bob@north.example', display_name: bob.displayName }],
      text: 'first\nline',
    });
  });

  it('says in the manifest who, why, what, and how far it is proven', async () => {
    await begin();
    await archive(said('ann.1', 'one'), said('ann.2', 'two', { atMs: NINE + 1 }));
    await world.checkpoint();
    await archive(said('ann.3', 'one more', { atMs: NINE + 2 }));
    const manifest = checked(await world.export({ format: JSONL, query: { words: 'one', fromMs: 1n } }));
    const { entries } = await world.entries();
    assert.deepEqual(manifest['product'], { name: 'Parley', version: '1.2.3' });
    assert.deepEqual(manifest['by'], { id: 'olga', address: 'olga@north.example', display_name: 'Olga' });
    assert.deepEqual([manifest['case_id'], manifest['reason']], ['HR-2026-014', 'complaint of 2 January']);
    assert.deepEqual(manifest['query'], { from: '1970-01-01T00:00:00.001Z', words: 'one' });
    assert.equal((manifest['audit'] as { audit_id: string }).audit_id, entries[1]?.auditId);
    assert.deepEqual([manifest['format'], manifest['everything_accepted_was_archived']], ['jsonl', true]);
    assert.deepEqual(manifest.counts, { records: 2, archived: 2, altered: 0, purged: 0, parked_in_archive: 0 });
    const [chain] = manifest.chains;
    const links = await world.links();
    assert.deepEqual(
      [chain?.records, chain?.first_link, chain?.last_link, chain?.beyond_checkpoint],
      [2, links[0]?._id, links[2]?._id, 1],
    );
  });

  it('is written down before it begins and when it has ended, with the hash of the manifest', async () => {
    await begin();
    await archive(said('ann.1', 'one'));
    const { result } = await world.export({ format: JSONL, query: { words: 'one' } });
    const [done, begun] = (await world.entries()).entries;
    assert.deepEqual([begun?.action, done?.action, done?.auditId], ['export', 'export_done', result.auditId]);
    assert.deepEqual(JSON.parse(begun?.detailJson ?? ''), { words: 'one', format: 'jsonl' });
    assert.deepEqual(JSON.parse(done?.detailJson ?? ''), { export: begun?.auditId });
    assert.deepEqual(JSON.parse(done?.outcomeJson ?? ''), {
      ...{ complete: true, records: 1, files: 1, manifest_sha256: result.manifestHash },
    });
  });

  it('marks versions and refused records, keeps unreadable ones, and repeats nothing', async () => {
    await begin();
    await world.append(
      said('ann.1', 'said'),
      said('ann.1', 'said'),
      said('ann.1', 'other', { hash: 2 }),
      said('ann.2', 'refused'),
      said('ann.2', 'refused', { kind: ArchiveRecordKind.NOT_ACCEPTED }),
      Buffer.from('noise'),
    );
    await world.indexed();
    const exported = await world.export({ format: JSONL });
    const { counts } = checked(exported);
    assert.deepEqual(counts, {
      ...{ records: 4, archived: 1, conflict: 1, 'not-accepted': 1, parked: 1 },
      ...{ altered: 0, purged: 0, parked_in_archive: 1 },
    });
    const refused = linesOf(exported).find(line => line['text'] === 'refused');
    assert.equal(refused?.['state'], 'not-accepted');
    assert.equal(refused['denied_by'], (await world.links())[4]?._id);
    const byPerson = checked(await world.export({ format: JSONL, query: { people: ['ann'] } }));
    assert.equal(byPerson.counts['records'], 3);
    assert.equal(byPerson.counts['parked_in_archive'], 1);
  });

  it('says what was changed or purged since', async () => {
    await begin();
    await archive(said('ann.1', 'one'), said('ann.2', 'two', { atMs: NINE + 1 }));
    const raw = recordOf(said('ann.1', 'never said'));
    await world.tamper(archiveContents, 'ann.1', doc => ({ ...doc, raw }));
    await world.collection(archiveContents).delete('ann.2');
    const exported = await world.export({ format: JSONL });
    const { counts } = checked(exported);
    assert.deepEqual([counts['altered'], counts['purged'], counts['records']], [1, 1, 1]);
    assert.equal(linesOf(exported)[0]?.['altered'], true);
  });

  it('goes through a day with more records than it holds at once several times, and loses none', async () => {
    await begin({ exportRefs: 100 }, 3);
    const records = Array.from({ length: 450 }, (_, i) =>
      said(`ann.${i}`, `n ${i}`, { atMs: NINE + i * 20_000, conversation: `d_${i % 40}` }),
    );
    await archive(...records);
    const lines = await world.export({ format: JSONL });
    checked(lines);
    assert.deepEqual(
      linesOf(lines).map(line => line['record_id']),
      records.map(record => record.id),
    );
    const mails = await world.export({ format: EML });
    assert.equal(checked(mails).files.length, 40);
    assert.equal(mails.result.records, 450n);
  });

  it('holds what was there when it began, whatever is archived meanwhile', async () => {
    await begin({}, 2);
    const some = (from: number, n: number) =>
      Array.from({ length: n }, (_, i) => said(`ann.${from + i}`, 'x', { atMs: NINE + i, conversation: `d_${i % 3}` }));
    await archive(...some(0, 300));
    let more = 300;
    let writing = Promise.resolve();
    const exported = await world.export(
      { format: JSONL },
      {
        onEvent() {
          const from = more;
          more += 5;
          if (from < 400) writing = writing.then(() => world.append(...some(from, 5)));
        },
      },
    );
    await writing;
    const ids = linesOf(exported).map(line => line['record_id']);
    checked(exported);
    assert.equal(new Set(ids).size, 300);
    assert.equal(ids.length, 300);
  });

  it('waits for what is not indexed yet, and is refused when that takes too long', async () => {
    await begin({ indexMs: 500, indexDelayMs: 0 });
    await world.append(said('ann.1', 'one'));
    await world.archived();
    /** Lets time pass until `work` has ended. */
    async function passing<T>(work: Promise<T>): Promise<T> {
      let ended = false;
      const end = () => (ended = true);
      work.then(end, end);
      await until(async () => {
        if (!ended) await world.clock.advance(50);
        return ended;
      }, 'the end of the export');
      return work;
    }
    assert.equal((await passing(world.export({ format: JSONL }))).result.records, 1n);
    await world.stop();
    await world.start();
    await world.append(said('ann.2', 'two', { atMs: NINE + 1 }));
    await world.archived();
    await world.stop();
    await assert.rejects(passing(world.export({ format: JSONL })), { code: 'archive.index_behind' });
    const outcome = JSON.parse((await world.entries()).entries[0]?.outcomeJson ?? '') as object;
    assert.deepEqual(outcome, { complete: false, records: 0, files: 0, manifest_sha256: '' });
  });

  it('says so when not everything that was accepted could be archived in time', async () => {
    await begin({ exportSettleMs: 0 });
    await archive(said('ann.1', 'one'));
    await world.stop();
    await world.append(said('ann.2', 'two'));
    const manifest = checked(await world.export({ format: JSONL }));
    assert.deepEqual([manifest.counts['records'], manifest['everything_accepted_was_archived']], [1, false]);
  });

  it('ends when its reader goes away, which is written down, and leaves room for the next', async () => {
    await begin({ maxExports: 1 });
    await archive(...Array.from({ length: 500 }, (_, i) => said(`ann.${i}`, 'x'.repeat(200), { atMs: NINE + i })));
    const reader = new AbortController();
    let data = 0;
    const onEvent = (kind: string) => kind === 'data' && ++data === 3 && reader.abort(new Error('gone'));
    const under = world.export({ format: JSONL }, { signal: reader.signal, onEvent });
    await assert.rejects(world.export({ format: JSONL }), { code: 'archive.export_busy' });
    await assert.rejects(under, /gone/);
    const outcome = JSON.parse((await world.entries()).entries[0]?.outcomeJson ?? '') as { complete: boolean };
    assert.equal(outcome.complete, false);
    assert.equal((await world.export({ format: JSONL })).result.records, 500n);
    assert.equal((await world.metric('parley_archive_exported_records_total')) >= 500, true);
  });

  it('is refused without a format, and when it would have too many files', async () => {
    await begin({ maxExportFiles: 2 });
    await assert.rejects(world.export({}), { code: 'archive.field_invalid', field: 'format' });
    await archive(...Array.from({ length: 5 }, (_, i) => said(`ann.${i}`, 'x', { atMs: NINE + i * DAY })));
    await assert.rejects(world.export({ format: JSONL }), { code: 'archive.export_too_large' });
  });

  it('of nothing is a manifest that says so', async () => {
    await begin();
    const { counts, files } = checked(await world.export({ format: EML }));
    assert.deepEqual([counts['records'], files], [0, []]);
  });
});

describe('a reader of an export', () => {
  it('who is slow is waited for', async () => {
    await begin();
    await archive(said('ann.1', 'x'.repeat(8_000)));
    let waiting = 0;
    const events: string[] = [];
    const exporting = world.export({ format: JSONL }, { onEvent: kind => events.push(kind), slow: () => waiting++ });
    await until(() => waiting > 0);
    assert.deepEqual(events.includes('result'), false);
    await exporting;
    assert.equal(events.at(-1), 'result');
  });
});
