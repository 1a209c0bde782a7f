import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { memoryCursorStore, memoryTokenStore } from '@parley/client';
import { startParley, until } from '@parley/testkit';
import { type Device, type Faults, inWorld, receives, type World } from './scenario.ts';

const faults: Faults = { logDown: async () => undefined, logUp: async () => undefined };
const config = { im: { keyVisibleMs: 2_000, reconcileMarginMs: 500, cursorLagMs: 3_000 } };

/** Two people who write to each other until told to stop; ids and keys of what was acknowledged, in that order. */
function chatter(a: Device, b: Device) {
  const acknowledged: { readonly id: string; readonly key: string }[] = [];
  let over = false;
  const say = async (from: Device, to: Device) => {
    for (let i = 0; !over; i++) {
      const { eventId, key } = await from.client.send(to.person.id, `${from.person.displayName} says ${i}`)
        .acknowledged;
      acknowledged.push({ id: eventId, key });
    }
  };
  const done = Promise.all([say(a, b), say(b, a)]);
  return {
    acknowledged,
    async stop() {
      over = true;
      await done;
    },
  };
}

const reach = (what: { readonly acknowledged: readonly unknown[] }, count: number) =>
  until(`${count} messages to be acknowledged`, () => what.acknowledged.length >= count, { timeoutMs: 60_000 });

describe('a backup', () => {
  const dir = mkdtempSync(join(tmpdir(), 'parley-backups-'));
  const at = join(dir, 'backup');

  it('made while people write holds everything that was acknowledged before, and becomes an installation elsewhere', {
    timeout: 170_000,
  }, async () => {
    const source = await startParley({ topology: 'standalone', config });
    try {
      await inWorld(source, faults, async world => {
        await world.archiving(undefined, { archiveInternal: true, archiveExternal: true, critical: false });
        const [ana, ben] = [await world.person('Ana'), await world.person('Ben')];
        // this device is signed in before the backup and comes to the other installation with what it holds
        const keep = { tokens: memoryTokenStore(), cursors: memoryCursorStore(), endpointId: 'bens-computer-01' };
        const [anaDesk, benDesk] = [await world.device(ana), await world.device(ben, keep)];
        const { discovery, audit } = (await world.complianceOfficer()).services;
        await discovery.search({ purpose: { caseId: 'B-1', reason: 'to leave a trace' } });
        const looks = (await audit.verifyEntries({})).entries;
        const talk = chatter(anaDesk, benDesk);
        await reach(talk, 60);
        const before = talk.acknowledged.slice();
        const said = await source.parley('backup', '--to', at);
        const after = talk.acknowledged.length;
        assert.match(said, /backed up \d+ MB/);
        await reach(talk, after + 40);
        await talk.stop();
        await benDesk.client.sync();
        assert.match(await source.parley('backup', 'verify', at), /is whole/);
        await assert.rejects(source.parley('restore', '--from', at), /is not empty/);
        await elsewhere({ world, before, ana: anaDesk, ben: benDesk, keep, looks });
      });
    } finally {
      await source.stop();
      rmSync(dir, { recursive: true, force: true });
    }
  });

  interface Before {
    readonly world: World;
    readonly before: readonly { readonly id: string; readonly key: string }[];
    readonly ana: Device;
    readonly ben: Device;
    readonly looks: bigint;
    readonly keep: Parameters<World['client']>[0];
  }

  /** The backup as an installation of its own, beside the first one. */
  async function elsewhere({ world, before, ana, ben, keep, looks }: Before): Promise<void> {
    const data = join(dir, 'restored');
    const restored = await startParley({
      topology: 'standalone',
      config: { ...config, dataDir: data },
      administrator: world.parley.administrator,
      prepare: async parley => {
        const [, sha256] = /manifest: ([0-9a-f]{64})/.exec(await parley('backup', 'verify', at)) ?? [];
        await assert.rejects(parley('restore', '--from', at, '--manifest-sha256', '0'.repeat(64)), /not the manifest/);
        assert.ok(!existsSync(data));
        await parley('restore', '--from', at, '--manifest-sha256', sha256 ?? '');
      },
    });
    try {
      await inWorld(restored, faults, async there => {
        // the same passwords, everything acknowledged before the snapshot, each once, nothing invented
        const written = new Set([...ana.events, ...ben.events].map(event => event.id));
        for (const { person } of [ana, ben]) {
          const fresh = await there.device(person);
          await fresh.client.sync();
          const ids = fresh.events.map(event => event.id);
          assert.deepEqual(
            before.filter(({ id }) => !ids.includes(id)),
            [],
            'what was acknowledged is there',
          );
          assert.equal(new Set(ids).size, ids.length, 'each once');
          assert.deepEqual(
            ids.filter(id => !written.has(id)),
            [],
          );
        }

        // a device whose cursor is later than the backup: it signs in by its refresh token, although no key was carried
        const client = there.client(keep);
        const seen: string[] = [];
        client.onEvent(event => seen.push(event.id));
        await client.connect();
        const anaAgain = await there.device(ana.person);
        const sent: string[] = [];
        for (const text of ['one more', 'two more', 'three more']) {
          const { eventId, key } = await anaAgain.client.send(ben.person.id, text).acknowledged;
          assert.ok(
            [...ana.events, ...ben.events].every(event => event.key < key),
            'keys never go back',
          );
          sent.push(eventId);
        }
        await until('what is new to come', () => sent.every(id => seen.includes(id)));
        await client.sync();
        assert.equal(new Set(seen).size, seen.length, 'nothing twice');
        const benAgain = await there.device(ben.person);
        await receives(benAgain, 'one more', 'two more', 'three more');

        const { intact, entries, findings } = await (await there.complianceOfficer()).services.audit.verifyEntries({});
        assert.deepEqual({ intact, entries, findings }, { intact: true, entries: looks, findings: [] });

        // the archive: the chains of before end where the backup ends, and go on in those of a new epoch
        await until(
          'everything to be archived and sealed',
          async () => {
            const { result, findings, records } = await there.verify();
            assert.deepEqual(findings, []);
            assert.equal(result.intact, true);
            const kept = new Map(records.filter(r => r.state === 1).map(r => [r.recordId, r.linkId]));
            if (![...before.map(({ id }) => id), ...sent].every(id => kept.has(id))) return false;
            const epochOf = (id: string | undefined) => kept.get(id ?? '')?.split('/')[0] ?? '';
            assert.ok(epochOf(sent[0]) > epochOf(before[0]?.id), 'a new epoch');
            const fresh = records.filter(({ linkId }) => linkId.startsWith(epochOf(sent[0]))).length;
            return Number(result.beyondCheckpoint) <= fresh;
          },
          { timeoutMs: 60_000, everyMs: 500 },
        );
      });
    } finally {
      await restored.stop();
    }
  }
});
