import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { memoryCursorStore, memoryTokenStore, PreferredAvailability } from '@parley/client';
import { type ParleyUnderTest, type PoolBackends, startParley, until } from '@parley/testkit';
import { type Device, type Faults, inWorld, receives, type TestPerson, type World } from './scenario.ts';

const { PARLEY_TEST_NATS_URL, PARLEY_TEST_KAFKA_BROKERS, PARLEY_TEST_MONGO_URL } = process.env;
const backends: PoolBackends = {
  natsUrl: PARLEY_TEST_NATS_URL ?? '',
  kafkaBrokers: (PARLEY_TEST_KAFKA_BROKERS ?? '').split(','),
  mongoUrl: PARLEY_TEST_MONGO_URL ?? '',
};
const faults: Faults = { logDown: async () => undefined, logUp: async () => undefined };
const config = {
  im: { keyVisibleMs: 2_000, reconcileMarginMs: 500, cursorLagMs: 3_000 },
  session: { leaseMs: 8_000, leaseRenewMs: 1_000, drainMs: 500, drainSpreadMs: 100 },
};

/** What people have that must be the same after a move. */
interface Organisation {
  readonly ana: TestPerson;
  readonly ben: TestPerson;
  readonly cleo: TestPerson;
  /** What Ben's computer keeps: its sign-in and how far it has read. */
  readonly keep: NonNullable<Parameters<World['client']>[0]>;
  /** Ids Ben's computer had when it was closed. */
  readonly read: readonly string[];
  /** Ids of what came to Ben since. */
  readonly unread: readonly string[];
  readonly links: number;
  /** Entries of the audit log. */
  readonly looks: number;
  /** Messages written at places it moved to, in the critical lane. */
  readonly newCritical: number;
  readonly greatestKey: string;
}

const writes = async (from: Device, to: TestPerson, texts: readonly string[]) => {
  const ids: string[] = [];
  for (const text of texts) ids.push((await from.client.send(to.id, text).acknowledged).eventId);
  return ids;
};
const numbered = (text: string, n: number) => Array.from({ length: n }, (_, i) => `${text} ${i}`);

/** Looks for a word in the archive until it is found `times`; every look is written down. */
async function lookFor(world: World, words: string, times: number): Promise<void> {
  const { discovery } = (await world.complianceOfficer()).services;
  const ask = { purpose: { caseId: 'MOVE-1', reason: 'to see that it moved' }, query: { words }, limit: 200 };
  await until(`${times} records with ${words}`, async () => (await discovery.search(ask)).items.length === times, {
    everyMs: 250,
  });
}

/** The audit log, verified; its length. */
async function audited(world: World): Promise<number> {
  const { audit } = (await world.complianceOfficer()).services;
  const { intact, entries, findings, checkpointed } = await audit.verifyEntries({});
  assert.deepEqual(findings, []);
  assert.equal(intact, true);
  assert.equal(checkpointed, entries);
  return Number(entries);
}

/** People, policies, a conversation in two languages, a note, unread messages. */
async function live(world: World): Promise<Organisation> {
  await world.archiving(undefined, { archiveInternal: true, archiveExternal: true, critical: false });
  const [ana, ben, cleo] = [await world.person('Ana Souza'), await world.person('陳志偉'), await world.person('Cleo')];
  await world.archiving(cleo, { archiveInternal: true, archiveExternal: true, critical: true });
  const keep = { tokens: memoryTokenStore(), cursors: memoryCursorStore(), endpointId: 'bens-computer-01' };
  const [anaDesk, benDesk, cleoDesk] = [
    await world.device(ana),
    await world.device(ben, keep),
    await world.device(cleo),
  ];
  const first = numbered('早安 good morning', 30);
  await writes(anaDesk, ben, first);
  await writes(benDesk, ana, numbered('answer', 10));
  await writes(cleoDesk, ben, numbered('critical', 5));
  await receives(benDesk, ...first, 'critical 4');
  await anaDesk.client.setNote('on ward 5 until noon');
  await anaDesk.client.setPresence(PreferredAvailability.BUSY);
  await until('his cursor to have passed what he read', async () => {
    await benDesk.client.sync();
    return benDesk.events.length >= 45;
  });
  const read = benDesk.events.map(event => event.id);
  await benDesk.client.close();
  const unread = [
    ...(await writes(anaDesk, ben, numbered('while away', 12))),
    ...(await writes(cleoDesk, ben, numbered('critical while away', 3))),
  ];
  await lookFor(world, '早安', 30);
  const { result, findings } = await world.verify();
  assert.deepEqual(findings, []);
  const greatestKey =
    [...anaDesk.events, ...cleoDesk.events]
      .map(event => event.key)
      .sort()
      .at(-1) ?? '';
  return {
    ana,
    ben,
    cleo,
    keep,
    read,
    unread,
    links: Number(result.links),
    looks: await audited(world),
    newCritical: 0,
    greatestKey,
  };
}

/** That nothing is lost, doubled or forgotten, and that life goes on. Returns what there is to find at the next place. */
async function lives(world: World, was: Organisation): Promise<Organisation> {
  const { ana, ben, cleo, keep, read, unread } = was;

  // the archive and who looked into it as they came, before anything is added
  assert.equal(await audited(world), was.looks);
  const arrived = await world.verify();
  assert.deepEqual(arrived.findings, []);
  assert.equal(arrived.result.intact, true);
  assert.equal(Number(arrived.result.links), was.links);

  // Ben's computer: signed in as it was, and it gets what it had not read, once
  const client = world.client(keep);
  const seen: string[] = [];
  client.onEvent(event => seen.push(event.id));
  await client.connect();
  await until('what he had not read', () => unread.every(id => seen.includes(id)));
  await client.sync();
  assert.equal(new Set(seen).size, seen.length, 'nothing twice');
  assert.deepEqual(
    seen.filter(id => !unread.includes(id) && !read.includes(id)),
    [],
    'nothing else',
  );

  // the same passwords and the whole history
  const [anaDesk, benDesk, cleoDesk] = [await world.device(ana), await world.device(ben), await world.device(cleo)];
  await benDesk.client.sync();
  assert.deepEqual(benDesk.events.map(event => event.id).sort(), [...read, ...unread].sort());
  await anaDesk.client.watch([cleo.id]);

  // policies, note, choice
  const { policies } = (await world.administrator()).services;
  const { effective } = await policies.getEffectiveArchivingPolicy({ person: cleo.id });
  assert.equal(effective?.policy?.critical, true);
  const mine = (await anaDesk.client.services.presence.getMyPresence({})).presence;
  assert.equal(mine?.view?.note, 'on ward 5 until noon');
  assert.equal(mine?.preferred, PreferredAvailability.BUSY);

  // new messages, in both lanes; keys go on; the log of this place is another one
  const sent = [
    ...(await writes(anaDesk, ben, numbered('new', 5))),
    ...(await writes(cleoDesk, ben, numbered('new critical', 3))),
  ];
  await until('the new ones', () => sent.every(id => seen.includes(id)));
  assert.equal(new Set(seen).size, seen.length, 'nothing twice');
  const fresh = benDesk.events.filter(event => sent.includes(event.id));
  assert.ok(
    fresh.every(event => event.key > was.greatestKey),
    'keys never go back',
  );
  const now = await world.verify();
  assert.deepEqual(now.findings, []);
  assert.equal(now.result.intact, true);
  const place = new Map(now.records.filter(r => r.state === 1).map(r => [r.recordId, r.linkId]));
  const epochs = (ids: readonly string[]) => new Set(ids.map(id => place.get(id)?.split('/')[0]));
  assert.equal(epochs(sent).size, 1);
  assert.ok(![...epochs([...read, ...unread])].some(epoch => epochs(sent).has(epoch)), 'a new epoch');
  await lookFor(world, '早安', 30);
  await lookFor(world, 'new critical', was.newCritical + 3);
  await client.sync();
  await client.close();
  return {
    ...was,
    newCritical: was.newCritical + 3,
    read: [...read, ...unread, ...sent],
    unread: await writes(anaDesk, ben, numbered('and again', 4)),
    links: Number((await world.verify()).result.links),
    looks: await audited(world),
    greatestKey:
      [...anaDesk.events, ...benDesk.events]
        .map(event => event.key)
        .sort()
        .at(-1) ?? '',
  };
}

describe('an organisation', { skip: PARLEY_TEST_MONGO_URL === undefined && 'needs servers' }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'parley-move-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  const at = (name: string) => join(dir, name);

  /** Stops the services and exports. */
  async function leave(parley: ParleyUnderTest, name: string): Promise<void> {
    await Promise.all(parley.processes.map(p => p.stop()));
    const said = await parley.parley('export', '--to', at(name), '--keys');
    assert.match(said, /exported \d+ documents of \d+ collections/);
  }

  it('moves from one machine to a pool and back with accounts, history, cursors, policies and archive', {
    timeout: 600_000,
  }, async t => {
    let was: Organisation | undefined;
    const first = await startParley({ topology: 'standalone', config });
    const { administrator } = first;
    try {
      await inWorld(first, faults, async world => void (was = await live(world)));
      await assert.rejects(first.parley('export', '--to', at('early')), /in use by another process/);
      await leave(first, 'one');
    } finally {
      await first.stop();
    }

    const pool = await startParley({
      ...{ topology: 'pool', backends, config, administrator, replicas: 2 },
      prepare: async parley => void (await parley('import', '--from', at('one'))),
    });
    try {
      await inWorld(pool, faults, async world => void (was = await lives(world, was as Organisation)));
      await t.test('and is not mixed with another one', async () => {
        await assert.rejects(pool.parley('export', '--to', at('early')), /services of this installation run/);
        assert.match(await pool.parley('import', '--from', at('one')), /was imported .*nothing to do/);
        appendFileSync(at('one/directory/directory_accounts.jsonl'), '{"_id":"intruder"}\n');
        await assert.rejects(pool.parley('import', '--from', at('one')), /directory_accounts\.jsonl has \d+ bytes/);
        const manifest = readFileSync(at('one/manifest.json'), 'utf8');
        writeFileSync(at('one/manifest.json'), manifest.replace('"version": 1', '"version": 2'));
        await assert.rejects(
          pool.parley('import', '--from', at('one')),
          /format version 2, this server \S+ reads version 1/,
        );
      });
      await leave(pool, 'two');
      await assert.rejects(pool.parley('import', '--from', at('two')), /another export was imported here/);
    } finally {
      await pool.stop();
    }

    const last = await startParley({
      ...{ topology: 'standalone', config, administrator },
      prepare: async parley => void (await parley('import', '--from', at('two'))),
    });
    try {
      await inWorld(last, faults, async world => void (was = await lives(world, was as Organisation)));
    } finally {
      await last.stop();
    }
  });
});
