import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FindingKind } from '@parley/contracts/archive/v1/archive';
import type { Collection, CollectionSpec, Doc, Store } from '@parley/store';
import { until } from '@parley/testkit';
import { behindArchiving } from '../behind.ts';
import type { Scenario, World } from '../scenario.ts';

const RULES = resolve(import.meta.dirname, '../../../deploy/alerts/parley.rules.yaml');

interface ContentDoc extends Doc {
  readonly raw: Uint8Array;
}
const ordered = { place: { kind: 'ordered', fields: ['_id'] } } as const;
const LINKS: CollectionSpec<Doc> = { name: 'archive_links', indexes: ordered };
const CONTENTS: CollectionSpec<ContentDoc> = { name: 'archive_contents', indexes: {} };

/** What somebody who may write everything in the database does, and takes back. */
interface Crime {
  readonly name: string;
  readonly kind: FindingKind;
  /** Label of the metric. */
  readonly label: string;
  commit(store: Store, records: readonly string[], places: readonly string[]): Promise<(store: Store) => Promise<void>>;
}

const CRIMES: readonly Crime[] = [
  {
    name: 'a record is changed',
    kind: FindingKind.ALTERED_CONTENT,
    label: 'altered_content',
    async commit(store, [record = '']) {
      const before = await change(store.collection(CONTENTS), record, doc => {
        const raw = Buffer.from(doc.raw);
        const at = raw.lastIndexOf('the budget is 100');
        raw.write('the budget is 900', at);
        return { ...doc, raw };
      });
      return async again =>
        void (await change(again.collection(CONTENTS), record, doc => ({ ...doc, raw: before.raw })));
    },
  },
  {
    name: 'a record is removed',
    kind: FindingKind.MISSING_CONTENT,
    label: 'missing_content',
    commit: (store, [, record = '']) => remove(store, CONTENTS, [record]),
  },
  {
    name: 'a record is removed with its link',
    kind: FindingKind.MISSING_LINK,
    label: 'missing_link',
    commit: (store, _, [, , place = '']) => remove(store, LINKS, [place]),
  },
  {
    name: 'the tail is cut',
    kind: FindingKind.CHECKPOINT_MISMATCH,
    label: 'checkpoint_mismatch',
    commit: (store, _, places) => remove(store, LINKS, places.slice(-2)),
  },
];

export const tamper: Scenario = {
  name: 'a changed record, a removed one and a cut tail are each found by a verification, which raises the alert',
  config: { archiving: { checkpointMs: 500, copyGraceMs: 1_000 } },
  async run(world) {
    const { parley } = world;
    const rule = /alert: ParleyArchiveTampered\s+expr: (.*)/.exec(readFileSync(RULES, 'utf8'))?.[1] ?? '';
    assert.match(rule, /increase\(parley_archive_findings_total\[1h\]\) > 0/);

    const [ana, ben] = [await world.person('Ana Souza'), await world.person('Ben Katz')];
    await world.archiving(ana, { archiveInternal: true, archiveExternal: true, critical: false });
    const desk = await world.device(ana);
    const sent: string[] = [];
    for (let i = 0; i < 6; i++)
      sent.push((await desk.client.send(ben.id, `${i}: the budget is 100`).acknowledged).eventId);
    await desk.client.close();
    await covered(world);
    const { records } = await world.verify();
    const places = sent.map(id => records.find(record => record.recordId === id)?.linkId ?? '');

    for (const { name, kind, label, commit } of CRIMES) {
      let takeBack: (store: Store) => Promise<void> = async () => undefined;
      await behindArchiving(parley, async ({ store }) => {
        takeBack = await commit(store, sent, places);
      });
      // the series is there before anything is found, or no increase would ever be seen
      for (const p of parley.replicasOf('archiving'))
        assert.match(await p.metrics(), new RegExp(`^parley_archive_findings_total\\{kind="${label}"\\} 0$`, 'm'));
      const { result, findings } = await world.verify();
      assert.equal(result.intact, false, name);
      assert.deepEqual([...new Set(findings.map(finding => finding.kind))], [kind], name);
      const counted = await parley.metric('parley_archive_findings_total', { kind: label });
      assert.equal(counted, findings.length, name);
      await behindArchiving(parley, ({ store }) => takeBack(store));
      assert.equal((await world.verify()).result.intact, true, `${name}, and it is put back`);
    }
  },
};

export const unasked: Scenario = {
  name: 'archiving finds a changed record by itself, raises the alert and tells whoever asks for its status',
  config: { archiving: { checkpointMs: 500, copyGraceMs: 1_000, verifyEveryMs: 3_000, verifyPauseMs: 20 } },
  async run(world) {
    const { parley } = world;
    const [ana, ben] = [await world.person('Ana Souza'), await world.person('Ben Katz')];
    await world.archiving(ana, { archiveInternal: true, archiveExternal: true, critical: false });
    const desk = await world.device(ana);
    const { eventId } = await desk.client.send(ben.id, '0: the budget is 100').acknowledged;
    await desk.client.close();
    await parley.drain();
    const administrator = (await world.administrator()).services.archive;
    /** Resolves when a verification that began from now on has ended. */
    const verifiedAnew = async (intact: boolean) => {
      const { verifiedMs: before } = await administrator.getStatus({});
      await until(
        `a verification that finds it ${intact ? 'intact' : 'changed'}`,
        async () => {
          const { verifiedMs, verifiedIntact } = await administrator.getStatus({});
          return verifiedMs > before && verifiedIntact === intact;
        },
        { timeoutMs: 60_000, everyMs: 250 },
      );
    };
    await verifiedAnew(true);
    const findings = () => parley.metric('parley_archive_findings_total', { kind: 'altered_content' });
    assert.equal(await findings(), 0);
    let takeBack: (store: Store) => Promise<void> = async () => undefined;
    await behindArchiving(parley, async ({ store }) => {
      takeBack = (await CRIMES[0]?.commit(store, [eventId], [])) ?? takeBack;
    });
    await verifiedAnew(false);
    assert.ok((await findings()) > 0);
    assert.equal(await parley.metric('parley_archive_alarms_total'), 0);
    await behindArchiving(parley, ({ store }) => takeBack(store));
    await verifiedAnew(true);
    assert.equal((await world.verify()).result.intact, true);
  },
};

/** Resolves when signed checkpoints cover everything. */
async function covered(world: World): Promise<void> {
  await until('checkpoints over everything', async () => (await world.verify()).result.beyondCheckpoint === 0n, {
    timeoutMs: 30_000,
    everyMs: 500,
  });
}

async function change<T extends Doc>(collection: Collection<T>, id: string, to: (doc: T) => T): Promise<T> {
  const doc = await collection.get(id);
  assert.ok(doc, id);
  assert.equal((await collection.replace(to(doc), doc._rev ?? 1)).replaced, true);
  return doc;
}

async function remove<T extends Doc>(store: Store, spec: CollectionSpec<T>, ids: readonly string[]) {
  const docs = await store.collection(spec).getMany(ids);
  assert.equal(docs.length, ids.length);
  assert.equal(await store.collection(spec).deleteMany(ids), ids.length);
  return async (again: Store) => void (await again.collection(spec).insertMany(docs));
}
