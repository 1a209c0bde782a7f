import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { FindingKind, RecordState } from '@parley/contracts/archive/v1/archive';
import { ArchiveRecordKind } from '@parley/contracts/event/v1/archive_record';
import { archiveCheckpoints, archiveContents, archiveLinks, type LinkDoc } from './collections.ts';
import { type SignedCheckpoint, signedBytes } from './domain/checkpoint.ts';
import { linkHash, rawHashOf } from './domain/link.ts';
import { createCheckpointSigner } from './index.ts';
import { recordOf } from './testing/records.ts';
import { createWorld, newKey, until, type World } from './testing/world.ts';

let world: World;
const begin = async (config: Parameters<typeof createWorld>[0] = {}, partitions = 1) => {
  world = await createWorld(config, partitions);
  await world.start();
};
afterEach(() => world.close());

const ids = (n: number, from = 0) => Array.from({ length: n }, (_, i) => ({ id: `ann.${from + i}` }));
const { ARCHIVED, DUPLICATE, CONFLICT, NOT_ACCEPTED, PARKED } = RecordState;

/** Ten records under a checkpoint, five beyond it. */
async function filled(): Promise<readonly LinkDoc[]> {
  await begin();
  await world.append(...ids(10));
  await world.archived();
  await world.checkpoint();
  await world.append(...ids(5, 10));
  await world.archived();
  return world.links();
}

/** Three checkpoints, old enough to be in both places; resolves with the file of the second. */
async function threeCheckpoints(): Promise<string> {
  await filled();
  await world.checkpoint();
  await world.append(...ids(5, 20));
  await world.archived();
  await world.checkpoint();
  await world.clock.advance(1);
  return join(world.dir, readdirSync(world.dir)[0] as string);
}

describe('archiving', () => {
  it('makes one link per offset, with its content, in a chain that verifies', async () => {
    await begin({}, 3);
    for (let i = 0; i < 30; i++) await world.append({ id: `ann.${i}`, conversation: `d_${i % 7}` });
    await world.archived();
    const { result, findings, records } = await world.verify({ reportRecords: true });
    assert.deepEqual(findings, []);
    assert.equal(result['intact'], true);
    assert.deepEqual(
      [result['links'], result['contents'], result['records'], result['beyondCheckpoint']],
      [30n, 30n, 30n, 30n],
    );
    assert.deepEqual(
      records.map(r => r.recordId).sort(),
      ids(30)
        .map(r => r.id)
        .sort(),
    );
    assert.ok(records.every(r => r.state === ARCHIVED && r.acceptedMs === 1_767_600_000_000n));
    const raw = (await world.content('ann.0')).raw;
    assert.deepEqual(Buffer.from(raw), Buffer.from(recordOf({ id: 'ann.0', conversation: 'd_0' })));
  });

  it('tells repetitions, other versions, verdicts and unreadable records apart, and keeps them all', async () => {
    await begin();
    await world.append({ id: 'ann.1' }, { id: 'ann.2' });
    await world.archived();
    await world.append(
      { id: 'ann.1', text: 'another key, same content' },
      { id: 'ann.1', hash: 2 },
      { id: 'ann.1', hash: 2 },
      { id: 'ann.2', kind: ArchiveRecordKind.NOT_ACCEPTED },
      Buffer.from('not a record'),
      { id: 'ann.3' },
    );
    await world.archived();
    const { result, records, findings } = await world.verify({ reportRecords: true });
    assert.deepEqual(findings, []);
    const states = [ARCHIVED, ARCHIVED, DUPLICATE, CONFLICT, DUPLICATE, NOT_ACCEPTED, PARKED, ARCHIVED];
    assert.deepEqual(
      records.map(r => r.state),
      states,
    );
    assert.deepEqual(
      [result['records'], result['duplicates'], result['notAccepted'], result['parked']],
      [4n, 2n, 1n, 1n],
    );
    assert.equal((await world.content('ann.2')).denied, (await world.links())[5]?._id);
    assert.equal((await world.content('ann.1')).denied, undefined);
    const { parked } = await world.status();
    assert.equal(parked, 1n);
  });

  it('lets the last word about a version count, and only about that version', async () => {
    await begin();
    const no = ArchiveRecordKind.NOT_ACCEPTED;
    await world.append({ id: 'ann.1' }, { id: 'ann.1', hash: 2 }, { id: 'ann.1', hash: 2, kind: no });
    await world.archived();
    const other = (await world.links())[1]?.content ?? '';
    assert.equal((await world.content('ann.1')).denied, undefined);
    assert.equal((await world.content(other)).denied, (await world.links())[2]?._id);
    await world.append({ id: 'ann.1', hash: 2, kind: no }, { id: 'ann.1', hash: 2 });
    await world.archived();
    assert.equal((await world.content(other)).denied, undefined);
    assert.deepEqual((await world.verify()).findings, []);
  });

  it('goes on after a restart and signs a last checkpoint when it stops', async () => {
    await begin();
    await world.append(...ids(3));
    await world.archived();
    await world.stop();
    assert.equal((await world.checkpoints()).length, 1);
    await world.start();
    await world.append(...ids(3, 3));
    await world.archived();
    const { result } = await world.verify();
    assert.deepEqual([result['intact'], result['links'], result['beyondCheckpoint']], [true, 6n, 3n]);
  });

  it('fills in from the log what the archive lost, when it was restored from an older copy', async () => {
    await begin({ trim: false });
    await world.append(...ids(10));
    await world.archived();
    await world.stop();
    for (const link of (await world.links()).slice(4)) await world.collection(archiveLinks).delete(link._id);
    for (const { id } of ids(6, 4)) await world.collection(archiveContents).delete(id);
    await world.start();
    await world.append({ id: 'ann.10' });
    await world.archived();
    const { result, findings } = await world.verify();
    assert.deepEqual(findings, []);
    assert.equal(result['links'], 11n);
  });

  it('says that something is missing when the log has it no longer', async () => {
    await begin({ trim: false });
    await world.append(...ids(10));
    await world.archived();
    await world.stop();
    for (const link of (await world.links()).slice(4)) await world.collection(archiveLinks).delete(link._id);
    await world.log.trim('archive', 0, 7);
    await world.start();
    await world.append({ id: 'ann.10' });
    await world.archived();
    assert.equal(await world.metric('parley_archive_alarms_total{kind="gap"}'), 1);
    const { findings } = await world.verify();
    assert.deepEqual(
      findings.map(f => f.kind),
      [FindingKind.MISSING_LINK, FindingKind.CHECKPOINT_MISMATCH],
    );
  });
});

describe('checkpoints', () => {
  it('are signed, and stand in the database and in the second place alike', async () => {
    await filled();
    const [kept] = await world.checkpoints();
    assert.equal(kept?.next, 10);
    const copied = await world.copy.last(kept?._id.slice(0, -15) ?? '');
    assert.equal(copied?.signature, kept?.signature);
    const { result } = await world.verify();
    assert.deepEqual([result['checkpoints'], result['beyondCheckpoint'], result['intact']], [1n, 5n, true]);
  });

  it('are made only when there is something new', async () => {
    await filled();
    await world.checkpoint();
    await world.clock.advance(300_000);
    assert.equal((await world.checkpoints()).length, 2);
  });

  it('that a crash left in one place only are brought to the other', async () => {
    for (const lost of ['database', 'second place']) {
      await filled();
      await world.checkpoint();
      const [, last] = await world.checkpoints();
      if (lost === 'database') await world.collection(archiveCheckpoints).delete(last?._id ?? '');
      else {
        const [name = ''] = readdirSync(world.dir);
        const [first] = readFileSync(join(world.dir, name), 'utf8').split('\n');
        // A line cut short in the middle of writing.
        writeFileSync(join(world.dir, name), `${first}\n{"epoch":`);
      }
      await world.append(...ids(1, 20));
      await world.archived();
      await until(async () => {
        await world.clock.advance(world.settings.checkpointMs / 4);
        return (await world.checkpoints()).length === 3;
      }, 'three checkpoints');
      assert.deepEqual((await world.verify()).findings, [], lost);
      if (lost === 'database') await world.close();
    }
  });

  it('allow the log to be trimmed, but not what others still have to read', async () => {
    await begin({ trimKeepRecords: 2, trimGroups: ['im-reconcile'] });
    await world.append(...ids(10));
    await world.archived();
    await world.checkpoint();
    await world.clock.advance(1);
    assert.equal((await world.log.ends('archive'))[0]?.low, 0);
    const reader = await world.log.consume('archive', 'im-reconcile', async () => undefined);
    await until(async () => (await world.log.committed('archive', 'im-reconcile')).get(0) === 10);
    await reader.stop();
    await world.append(...ids(2, 10));
    await world.archived();
    await world.checkpoint();
    await until(async () => (await world.log.ends('archive'))[0]?.low === 8, 'the trim');
    assert.equal((await world.verify()).result['intact'], true);
  });

  it('are not made over a chain that was changed, and nothing is trimmed then', async () => {
    await begin();
    await world.append(...ids(10));
    await world.archived();
    const last = (await world.links()).at(-1) as LinkDoc;
    await world.tamper(archiveLinks, last._id, doc => ({ ...doc, hashes: new Uint8Array(64) }));
    await world.clock.advance(world.settings.checkpointMs);
    await until(async () => (await world.metric('parley_archive_alarms_total{kind="head_differs"}')) === 1);
    assert.equal((await world.checkpoints()).length, 0);
  });
});

describe('verification finds', () => {
  const kinds = (found: { findings: readonly { kind: number }[] }) => found.findings.map(f => f.kind);

  it('content whose bytes were changed', async () => {
    await filled();
    await world.tamper(archiveContents, 'ann.4', doc => ({
      ...doc,
      raw: recordOf({ id: 'ann.4', text: 'never said' }),
    }));
    const found = await world.verify();
    assert.deepEqual(kinds(found), [FindingKind.ALTERED_CONTENT]);
    assert.equal(found.findings[0]?.linkId, (await world.links())[4]?._id);
    assert.equal(found.result['intact'], false);
  });

  it('content that was filed under another person, so that nobody finds it', async () => {
    await filled();
    await world.tamper(archiveContents, 'ann.4', doc => ({ ...doc, people: ['nobody'] }));
    assert.deepEqual(kinds(await world.verify()), [FindingKind.ALTERED_CONTENT]);
  });

  it('content that was removed', async () => {
    await filled();
    await world.collection(archiveContents).delete('ann.4');
    assert.deepEqual(kinds(await world.verify()), [FindingKind.MISSING_CONTENT]);
  });

  it('a link that was changed, once for each', async () => {
    const links = await filled();
    await world.tamper(archiveLinks, links[3]?._id ?? '', doc => ({ ...doc, state: DUPLICATE }));
    await world.tamper(archiveLinks, links[12]?._id ?? '', doc => ({
      ...doc,
      hashes: Buffer.concat([doc.hashes.subarray(0, 32), Buffer.alloc(32)]),
    }));
    const found = await world.verify();
    assert.deepEqual(kinds(found), [FindingKind.BROKEN_HASH, FindingKind.BROKEN_HASH]);
    assert.deepEqual(
      found.findings.map(f => f.linkId),
      [links[3]?._id, links[12]?._id],
    );
  });

  it('a link that was led to the content of another record', async () => {
    await begin();
    await world.append({ id: 'ann.1' }, { id: 'ann.2' }, { id: 'ann.1' });
    await world.archived();
    const links = await world.links();
    await world.tamper(archiveLinks, links[2]?._id ?? '', doc => ({ ...doc, content: 'ann.2' }));
    assert.deepEqual(kinds(await world.verify()), [FindingKind.ALTERED_CONTENT]);
  });

  it('a link that was removed from the middle', async () => {
    const links = await filled();
    await world.collection(archiveLinks).delete(links[5]?._id ?? '');
    const found = await world.verify();
    assert.deepEqual(kinds(found), [FindingKind.MISSING_LINK]);
    assert.equal(found.findings[0]?.linkId, links[5]?._id);
  });

  it('links removed from the beginning', async () => {
    const links = await filled();
    for (const link of links.slice(0, 2)) await world.collection(archiveLinks).delete(link._id);
    assert.deepEqual(kinds(await world.verify()), [FindingKind.MISSING_LINK, FindingKind.CHECKPOINT_MISMATCH]);
  });

  it('a tail that was removed, by the signed checkpoint', async () => {
    const links = await filled();
    for (const link of links.slice(8)) await world.collection(archiveLinks).delete(link._id);
    const found = await world.verify();
    assert.deepEqual(kinds(found), [FindingKind.CHECKPOINT_MISMATCH]);
    assert.match(found.findings[0]?.detail ?? '', /does not reach offset 9/);
  });

  it('a chain rewritten by somebody who can write everything in the database', async () => {
    const links = await filled();
    await rewrite(links, 4);
    const found = await world.verify();
    assert.deepEqual(kinds(found), [FindingKind.CHECKPOINT_MISMATCH]);
    assert.match(found.findings[0]?.detail ?? '', /another hash/);
  });

  it('a chain rewritten together with the checkpoints, since nobody has the key', async () => {
    const links = await filled();
    await rewrite(links, 4);
    const head = (await world.links())[9] as LinkDoc;
    const [checkpoint] = await world.checkpoints();
    const hash = Buffer.from(head.hashes.subarray(32)).toString('hex');
    await world.tamper(archiveCheckpoints, checkpoint?._id ?? '', doc => ({ ...doc, hash }));
    const found = await world.verify();
    assert.deepEqual(kinds(found), [
      FindingKind.CHECKPOINT_COPY_DIFFERS,
      FindingKind.BAD_SIGNATURE,
      FindingKind.CHECKPOINT_MISMATCH,
    ]);
  });

  it('checkpoints that were removed, and whole chains with them', async () => {
    const links = await filled();
    const [checkpoint] = await world.checkpoints();
    await world.collection(archiveCheckpoints).delete(checkpoint?._id ?? '');
    await world.clock.advance(1);
    assert.deepEqual(kinds(await world.verify()), [FindingKind.CHECKPOINT_COPY_DIFFERS]);
    for (const link of links) await world.collection(archiveLinks).delete(link._id);
    assert.deepEqual(kinds(await world.verify()), [
      FindingKind.CHECKPOINT_COPY_DIFFERS,
      FindingKind.CHECKPOINT_MISMATCH,
    ]);
  });

  it('a second place that was emptied or added to', async () => {
    await filled();
    const [name = ''] = readdirSync(world.dir);
    const content = readFileSync(join(world.dir, name), 'utf8');
    const forged = { ...(JSON.parse(content) as object), next: 12, atMs: 0 };
    appendFileSync(join(world.dir, name), `${JSON.stringify(forged)}\n`);
    await world.clock.advance(1);
    assert.deepEqual(kinds(await world.verify()), [FindingKind.CHECKPOINT_COPY_DIFFERS, FindingKind.BAD_SIGNATURE]);
    writeFileSync(join(world.dir, name), '');
    assert.deepEqual(kinds(await world.verify()), [FindingKind.CHECKPOINT_COPY_DIFFERS]);
  });

  it('nothing when replicas took turns: a line that came late, twice, or says what another says too', async () => {
    const path = await threeCheckpoints();
    const [one = '', two = '', three = ''] = readFileSync(path, 'utf8').split('\n');
    const said = JSON.parse(two) as SignedCheckpoint;
    const later = { ...said, atMs: said.atMs + 1 };
    const signature = Buffer.from(world.signer.sign(signedBytes(later))).toString('base64url');
    const too = JSON.stringify({ ...later, signature });
    for (const lines of [
      [one, three, two],
      [three, two, one],
      [one, three, two, three, one],
      [one, too, two, three],
      [one, two, three, too],
      [one, three, too, two],
    ]) {
      writeFileSync(path, lines.map(line => `${line}\n`).join(''));
      const { findings, result } = await world.verify();
      assert.deepEqual(findings, []);
      assert.equal(result['intact'], true);
    }
  });

  it('a line that is missing among others, or was forged so that it comes early', async () => {
    const path = await threeCheckpoints();
    const [one = '', two = '', three = ''] = readFileSync(path, 'utf8').split('\n');
    const forged = JSON.stringify({ ...(JSON.parse(three) as object), atMs: 1 });
    const { CHECKPOINT_COPY_DIFFERS: COPY_DIFFERS, BAD_SIGNATURE } = FindingKind;
    for (const [lines, ...expected] of [
      [[one, three], COPY_DIFFERS],
      [[three, two], COPY_DIFFERS],
      [[three], COPY_DIFFERS, COPY_DIFFERS],
      [[forged, one, two, three], BAD_SIGNATURE],
      [[one, forged, two], BAD_SIGNATURE, COPY_DIFFERS],
    ] as const) {
      writeFileSync(path, lines.map(line => `${line}\n`).join(''));
      assert.deepEqual(kinds(await world.verify()), expected);
    }
  });

  it('nothing after the key was changed, as long as the old public key is known', async () => {
    await filled();
    await world.stop();
    const next = newKey();
    await world.start({ signer: createCheckpointSigner(next.privatePem, [world.key.publicPem]) });
    await world.append(...ids(5, 20));
    await world.archived();
    await world.checkpoint();
    assert.deepEqual((await world.verify()).findings, []);
    await world.stop();
    await world.start({ signer: createCheckpointSigner(next.privatePem) });
    assert.ok((await world.verify()).findings.every(f => f.kind === FindingKind.BAD_SIGNATURE));
  });

  /** Changes a content and makes every link from there on follow from it. */
  async function rewrite(links: readonly LinkDoc[], from: number): Promise<void> {
    const raw = recordOf({ id: `ann.${from}`, text: 'never said' });
    await world.tamper(archiveContents, `ann.${from}`, doc => ({ ...doc, raw }));
    let previous = (links[from - 1] as LinkDoc).hashes.subarray(32);
    for (const [i, link] of links.entries()) {
      if (i < from) continue;
      const rawHash = i === from ? rawHashOf(raw) : link.hashes.subarray(0, 32);
      const hash = linkHash(previous, rawHash, link.state, link.record);
      await world.tamper(archiveLinks, link._id, doc => ({ ...doc, hashes: Buffer.concat([rawHash, hash]) }));
      previous = hash;
    }
  }
});

describe('verification', () => {
  it('waits until what was accepted before is archived, but not for ever', async () => {
    await begin();
    await world.append(...ids(3));
    await world.archived();
    await world.stop();
    await world.append(...ids(3, 3));
    const idle = world.clock.pending;
    const late = world.verify({ settleMs: 5_000 });
    await until(() => world.clock.pending > idle, 'a verification that waits');
    await world.clock.advance(1_000);
    await world.start();
    await world.archived();
    await world.clock.advance(200);
    assert.equal((await late).result['links'], 6n);
    await world.stop();
    await world.append(...ids(3, 6));
    const quiet = world.clock.pending;
    const short = world.verify({ settleMs: 1_000 });
    await until(() => world.clock.pending > quiet, 'a verification that waits');
    await world.clock.advance(1_000);
    assert.equal((await short).result['links'], 6n);
  });

  it('refuses to wait too long, and a second one at the same time', async () => {
    await begin();
    await assert.rejects(world.verify({ settleMs: 60_001 }), { code: 'archive.settle_invalid', field: 'settle_ms' });
    await world.append(...ids(3));
    await world.archived();
    const both = await Promise.allSettled([world.verify(), world.verify()]);
    assert.deepEqual(
      both.map(r => r.status),
      ['fulfilled', 'rejected'],
    );
    assert.equal((await world.verify()).result['intact'], true);
  });

  it('ends when its reader goes away, and leaves room for the next', async () => {
    await begin({ verifyPage: 10 });
    await world.append(...ids(100));
    await world.archived();
    const controller = new AbortController();
    const under = world.verify({}, controller.signal);
    controller.abort(new Error('gone'));
    await assert.rejects(under, /gone/);
    assert.equal((await world.verify()).result['links'], 100n);
  });

  it('ends although the archive grows, and reports how far it is', async () => {
    await begin({ verifyPage: 10, progressMs: 10 });
    await world.append(...ids(50));
    await world.archived();
    const under = world.verify();
    await world.clock.advance(10);
    await world.append(...ids(50, 50));
    const found = await under;
    assert.equal(found.progress.at(-1)?.links, found.result['links']);
    assert.equal(found.progress.at(-1)?.total, found.result['links']);
  });
});

describe('the status', () => {
  it('says for each partition how far the archive is', async () => {
    await filled();
    await world.stop();
    await world.append(...ids(2, 30));
    const { partitions, policySummary, peopleWithOwnPolicy } = await world.status();
    assert.equal(partitions.length, 1);
    const [one] = partitions;
    assert.deepEqual(
      [one?.topic, one?.partition, one?.firstOffset, one?.nextOffset, one?.lag],
      ['archive', 0, 0n, 15n, 2n],
    );
    assert.equal(one?.checkpointCount, 15n);
    assert.equal(one?.headHash, Buffer.from((await world.links()).at(-1)?.hashes.subarray(32) ?? []).toString('hex'));
    assert.equal(one?.epoch, BigInt(await world.log.epoch()));
    assert.match(policySummary, /all messages are archived/);
    assert.equal(peopleWithOwnPolicy, 3n);
  });
});
