import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { archiveAudit, archiveContents, archiveVerifications, type VerificationDoc } from './collections.ts';
import type { ArchivingConfig } from './config.ts';
import { createWorld, until, type World } from './testing/world.ts';

/** A day of this archive. */
const DAY = 3_600_000;
const CHECKPOINT = 600_000;

let world: World;
let began = 0;
afterEach(() => world.close());

async function begin(config: Partial<ArchivingConfig> = {}, records = 5): Promise<void> {
  // few timers, so that time passes quickly
  const slow = { indexMs: 60_000, indexSweepMs: 3_600_000, checkpointMs: CHECKPOINT };
  world = await createWorld({ ...slow, verifyEveryMs: DAY, ...config });
  began = world.clock.now();
  await world.start();
  await world.append(...Array.from({ length: records }, (_, i) => ({ id: `ann.${i}` })));
  await world.archived();
  // in one step: a clock that moves while it waits for files would be past the day
  await world.clock.advance(CHECKPOINT);
  await until(async () => (await world.checkpoints()).length > 0, 'a checkpoint');
}

const verified = (result = '') => world.metric(`parley_archive_verifications_total{result="${result}`);
const state = async () => (await world.collection(archiveVerifications).get('everything')) as VerificationDoc;

/** Lets time pass until there were so many verifications. */
const verifications = (n: number, stepMs = 20_000) =>
  until(async () => {
    if ((await verified()) < n) await world.clock.advance(stepMs);
    return (await verified()) >= n;
  }, `${n} verifications`);

/** Lets time pass until the audit log is done as well, and how it ended is written down. */
const written = (holds: (doc: VerificationDoc) => boolean, stepMs = 1_000) =>
  until(async () => {
    if (holds(await state())) return true;
    await world.clock.advance(stepMs);
    return false;
  }, 'the outcome');

describe('archiving verifies itself', () => {
  it('once a day, and says when', async () => {
    await begin();
    await world.clock.advance(DAY / 2);
    assert.equal(await verified(), 0);
    await verifications(1);
    await written(doc => doc.until === 0);
    const { last, due } = await state();
    assert.ok((last?.at ?? 0) >= began + DAY, 'not before a day is over');
    assert.deepEqual([last?.intact, last?.links, last?.findings, due], [true, 5, 0, (last?.at ?? 0) + DAY]);
    assert.equal(await world.metric('parley_archive_verified_timestamp_seconds'), (last?.at ?? 0) / 1_000);
    assert.equal(await world.metric('parley_archive_verification_due_timestamp_seconds'), due / 1_000);
    const status = await world.status();
    assert.deepEqual([status.verifiedMs, status.verifiedIntact], [BigInt(last?.at ?? 0), true]);
    const { entries } = await world.entries();
    assert.deepEqual(entries, [], 'nobody looked into the archive');
    await verifications(2);
    assert.ok(world.clock.now() >= due);
  });

  it('finds what was changed, with the metric that alerts', async () => {
    await begin();
    await world.tamper(archiveContents, 'ann.3', doc => ({ ...doc, raw: Buffer.from(doc.raw).fill(1, 3, 9) }));
    await verifications(1);
    assert.equal(await verified('findings'), 1);
    assert.equal(await world.metric('parley_archive_findings_total{kind="altered_content"}'), 1);
    await written(doc => doc.last?.intact === false);
  });

  it('finds what was changed in the audit log, too', async () => {
    await begin();
    await world.verify();
    const [entry] = (await world.collection(archiveAudit).scan('number', { limit: 1 })).docs;
    await world.tamper(archiveAudit, entry?._id ?? '', doc => ({ ...doc, person: 'somebody else' }));
    await verifications(2); // the first one was asked for
    await written(doc => doc.last?.intact === false);
    assert.ok((await world.metric('parley_archive_alarms_total{kind="audit_findings"}')) > 0);
    assert.equal(await world.metric('parley_archive_findings_total{kind="altered_content"}'), 0);
  });

  it('slowly: with a pause after each page', async () => {
    await begin({ verifyEveryMs: 2_000_000, verifyPage: 10, verifyPauseMs: 10_000 }, 60);
    await verifications(1, 1_000);
    await written(doc => doc.last !== undefined);
    const tookMs = ((await state()).last?.at ?? 0) - began - 2_000_000;
    assert.ok(tookMs >= 6 * 10_000, `it took ${tookMs} ms`);
  });

  it('as slowly through the audit log, and says meanwhile that it is alive', async () => {
    const pause = 60_000;
    await begin({ verifyEveryMs: 2_000_000, verifyPauseMs: pause, verifyLeaseMs: pause });
    await world.verify();
    await verifications(2, 1_000); // the first one was asked for
    const links = { at: world.clock.now(), until: (await state()).until };
    await written(doc => doc.until > links.until);
    await written(doc => doc.last !== undefined);
    assert.ok(((await state()).last?.at ?? 0) - links.at >= 2 * pause - 2_000);
  });

  it('and tells when it is due, before it was ever verified', async () => {
    await begin();
    await world.clock.advance(700_000);
    const { due } = await state();
    assert.equal(await world.metric('parley_archive_verification_due_timestamp_seconds'), due / 1_000);
    assert.equal(await world.metric('parley_archive_verified_timestamp_seconds'), 0);
  });

  it('by one replica at a time, and by another when the one that began is silent', async () => {
    // the clock runs ahead of files that are read
    await begin({ verifyLeaseMs: DAY });
    await world.start();
    await verifications(1);
    await world.clock.advance(DAY / 2);
    assert.equal(await verified(), 1);
    const { due } = await state();
    const taken = due + 900_000;
    await world.tamper(archiveVerifications, 'everything', doc => ({
      ...doc,
      by: 'a replica that died',
      until: taken,
    }));
    await verifications(2);
    assert.ok(world.clock.now() >= taken, 'not while it may be alive');
  });

  it('again when it was stopped in the middle, without waiting', async () => {
    await begin({ verifyEveryMs: 2_000_000, verifyPage: 10, verifyPauseMs: 10_000 }, 60);
    await until(async () => {
      await world.clock.advance(10_000);
      return (await state()).by !== '';
    });
    await world.stop();
    const { until: lease, last } = await state();
    assert.deepEqual([lease, last], [0, undefined]);
    assert.equal(await world.metric('parley_archive_verify_failures_total'), 0);
    await world.start();
    await verifications(1, 10_000);
  });

  it('never, when it is told so', async () => {
    await begin({ verifyEveryMs: 0 });
    await world.clock.advance(3 * DAY);
    assert.equal(await state(), undefined);
    assert.equal(await verified(), 0);
  });
});
