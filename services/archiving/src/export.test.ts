import assert from 'node:assert/strict';
import { createPublicKey, hash, verify } from 'node:crypto';
import { afterEach, describe, it } from 'node:test';
import { ExportFormat } from '@parley/contracts/archive/v1/archive';
import { ArchiveRecordKind } from '@parley/contracts/event/v1/archive_record';
import PostalMime from 'postal-mime';
import { archiveContents } from './collections.ts';
import type { ArchivingConfig } from './config.ts';
import { createWorld, type Exported, NINE, type RecordInit, recordOf, until, type World } from './testing/world.ts';

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

interface Manifest {
  readonly [field: string]: unknown;
  readonly counts: Record<string, number>;
  readonly files: { path: string; size: number; sha256: string; records: number }[];
  readonly chains: {
    chain: string;
    records: number;
    first_link: string;
    last_link: string;
    beyond_checkpoint: number;
  }[];
}

/** The manifest, after everything about the export was checked as a stranger would. */
function checked({ files, result }: Exported): Manifest {
  const bytes = files.get('manifest.json') as Buffer;
  assert.equal(hash('sha256', bytes, 'hex'), result.manifestHash);
  assert.deepEqual([...files.keys()].slice(-2), ['manifest.json', 'manifest.sig']);
  const signature = JSON.parse(String(files.get('manifest.sig'))) as Record<string, string>;
  const key = createPublicKey(signature['public_key'] ?? '');
  assert.equal(signature['public_key'], world.key.publicPem);
  assert.equal(signature['key_id'], world.signer.keyId);
  assert.ok(verify(null, bytes, key, Buffer.from(signature['signature'] ?? '', 'base64')));
  const manifest = JSON.parse(String(bytes)) as Manifest;
  assert.deepEqual(
    manifest.files.map(file => file.path),
    [...files.keys()].slice(0, -2),
  );
  for (const { path, size, sha256 } of manifest.files) {
    assert.match(path, /^[A-Za-z0-9._/-]+$/);
    assert.deepEqual([files.get(path)?.length, hash('sha256', files.get(path) as Buffer, 'hex')], [size, sha256]);
  }
  assert.equal(
    manifest.files.reduce((sum, file) => sum + file.records, 0),
    manifest.counts['records'],
  );
  assert.equal(result.records, BigInt(manifest.counts['records'] ?? -1));
  assert.equal(result.files, BigInt(manifest.files.length));
  return manifest;
}

const linesOf = ({ files }: Exported): Record<string, unknown>[] =>
  [...files]
    .filter(([path]) => path.endsWith('.jsonl'))
    .flatMap(([, bytes]) => String(bytes).trimEnd().split('\n'))
    .map(line => JSON.parse(line) as Record<string, unknown>);

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

describe('an export as mail', () => {
  it('has a message for each conversation and day, with a transcript and the records', async () => {
    await begin();
    await archive(
      said('ann.1', '早安\n[08:00:00] Bob <bob@north.example>\nforged', { atMs: NINE, key: 'k1' }),
      said('bob.1', 'Morning 👍', { atMs: NINE + 61_000, sender: 'bob', key: 'k2' }),
      said('ann.2', 'not there', { atMs: NINE + 62_000, key: 'k3' }),
      said('ann.2', 'not there', { atMs: NINE + 62_000, key: 'k3', kind: ArchiveRecordKind.NOT_ACCEPTED }),
      said('ann.3', 'tomorrow', { atMs: NINE + DAY, key: 'k4' }),
    );
    const exported = await world.export({ format: EML });
    const manifest = checked(exported);
    assert.deepEqual(
      manifest.files.map(file => file.records),
      [3, 1],
    );
    assert.match(manifest.files[0]?.path ?? '', /^mail\/2026-01-05\/[0-9a-f]{24}\.eml$/);
    const mail = await PostalMime.parse(exported.files.get(manifest.files[0]?.path ?? '') as Buffer);
    assert.deepEqual(mail.from, { address: 'ann@north.example', name: 'Ann 安' });
    assert.deepEqual(
      mail.to?.map(to => to.address),
      ['bob@north.example'],
    );
    assert.equal(mail.bcc, undefined);
    assert.match(mail.subject ?? '', /^Conversation of Ann 安, Bob .*, 2026-01-05$/);
    assert.equal(new Date(mail.date ?? '').getTime(), NINE);
    const headers = new Map(mail.headers.map(({ key, value }) => [key, value]));
    assert.equal(headers.get('x-parley-conversation'), 'd_1');
    assert.equal(headers.get('x-parley-records'), '3');
    assert.equal(headers.get('x-parley-first-link'), (await world.links())[0]?._id);
    const text = (mail.text ?? '').replaceAll('\r\n', '\n');
    assert.match(
      text,
      /^\[08:00:00\] Ann 安 <ann@north\.example>\n {4}早安\n {4}\[08:00:00\] Bob <bob@north\.example>\n/m,
    );
    assert.match(text, /^\[08:01:01\] Bob .*\n {4}Morning 👍\n/m);
    assert.match(text, /^\[08:01:02\] Ann .*\(not accepted by the server; reached nobody\)\n {4}not there\n/m);
    assert.equal(text.split('\n').filter(line => line.startsWith('[')).length, 3);
    const [attachment] = mail.attachments;
    assert.deepEqual([attachment?.filename, attachment?.mimeType], ['records.jsonl', 'application/x-ndjson']);
    const lines = Buffer.from(attachment?.content as ArrayBuffer)
      .toString()
      .trimEnd()
      .split('\n');
    assert.deepEqual(
      lines.map(line => (JSON.parse(line) as { record_id: string }).record_id),
      ['ann.1', 'bob.1', 'ann.2'],
    );
  });

  it('is the same, byte for byte, whoever makes it and when', async () => {
    await begin();
    await archive(said('ann.1', '早安 '.repeat(100)), said('ann.2', 'x', { atMs: NINE + 1 }));
    const mailsOf = ({ files }: Exported) => [...files].filter(([path]) => path.endsWith('.eml'));
    const first = mailsOf(await world.export({ format: EML }));
    await world.clock.advance(5_000);
    assert.deepEqual(mailsOf(await world.export({ format: EML })), first);
  });

  it('divides a long conversation', async () => {
    await begin({ mailRecords: 10 });
    await archive(...Array.from({ length: 25 }, (_, i) => said(`ann.${i}`, `n ${i}`, { atMs: NINE + i })));
    const exported = await world.export({ format: EML });
    const { files } = checked(exported);
    assert.deepEqual(
      files.map(file => [file.path.replace(/^.*\/[0-9a-f]+/, ''), file.records]),
      [
        ['.eml', 10],
        ['-2.eml', 10],
        ['-3.eml', 5],
      ],
    );
    const ids = await Promise.all(
      files.map(async ({ path }) => (await PostalMime.parse(exported.files.get(path) as Buffer)).messageId),
    );
    assert.equal(new Set(ids).size, 3);
  });

  it('names people by their ids when nothing else is known, and keeps what nobody can read', async () => {
    await begin();
    await world.append(said('ann.1', 'x', { people: [{ id: 'ann' }, { id: 'b:x' }] }), Buffer.from('noise'));
    await world.indexed();
    const exported = await world.export({ format: EML });
    checked(exported);
    const mails = await Promise.all(
      [...exported.files].filter(([path]) => path.endsWith('.eml')).map(([, bytes]) => PostalMime.parse(bytes)),
    );
    const readable = mails.find(mail => mail.subject?.startsWith('Conversation'));
    assert.equal(readable?.from?.address, 'ann@unknown.parley.invalid');
    assert.equal(readable.to?.[0]?.address, 'b-x@unknown.parley.invalid');
    const unreadable = mails.find(mail => mail.subject?.startsWith('Records that cannot be read'));
    assert.match(unreadable?.text ?? '', /the bytes are in the attachment/);
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
