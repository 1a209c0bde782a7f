import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { ExportFormat } from '@parley/contracts/archive/v1/archive';
import { ArchiveRecordKind } from '@parley/contracts/event/v1/archive_record';
import PostalMime from 'postal-mime';
import type { ArchivingConfig } from './config.ts';
import { checkedIn } from './testing/exports.ts';
import { NINE, type RecordInit } from './testing/records.ts';
import { createWorld, type Exported, type World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());

const DAY = 86_400_000;
const { EML } = ExportFormat;
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
