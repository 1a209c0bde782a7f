import assert from 'node:assert/strict';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PreferredAvailability } from '@parley/client';
import { FindingKind } from '@parley/contracts/archive/v1/archive';
import { until } from '@parley/testkit';
import { sees } from '../../e2e/scenario.ts';
import { formatReport } from '../../e2e/traffic/ledger.ts';
import { startTraffic } from '../../e2e/traffic/traffic.ts';
import { canMount, mountDisk } from './disk.ts';
import { onStandalone } from './standalone.ts';

const SMALL = { pairs: 3, everyMs: 80 } as const;

describe('the database of a standalone installation', { concurrency: 1 }, () => {
  it('that is full refuses clearly, loses nothing acknowledged, and goes on when there is room', {
    timeout: 120_000,
    skip: !canMount() && 'needs root to mount a small disk',
  }, async () => {
    const disk = mountDisk(24);
    try {
      await onStandalone(
        async ({ world, server }) => {
          const traffic = await startTraffic(world, SMALL);
          await traffic.flows();
          disk.fill();
          const noticed = () => server.log().includes('store.sqlite.commit_failed');
          await until('the full disk to be noticed', noticed, { timeoutMs: 60_000 });
          const line =
            server
              .log()
              .split('\n')
              .find(text => text.includes('store.sqlite.commit_failed')) ?? '';
          assert.match(line, /is full/);
          assert.ok(line.includes(join(disk.dir, 'parley.sqlite')) && line.includes('free'), 'names file and remedy');
          disk.free();
          await traffic.flows();
          console.log(formatReport(await traffic.finish()));
        },
        { dataDir: disk.dir },
      );
    } finally {
      disk.remove();
    }
  });

  for (const end of ['SIGKILL', 'SIGTERM'] as const)
    it(
      `whose disk fails a sync refuses everything until the restart, after which all that was acknowledged is there (ended by ${end})`,
      {
        timeout: 120_000,
      },
      () =>
        onStandalone(async ({ world, server, faults, dataDir }) => {
          const traffic = await startTraffic(world, { pairs: 4, everyMs: 40 });
          await traffic.flows();
          faults.failSync(true);
          await until('the failed sync to be noticed', () => server.log().includes('store.sqlite.sync_failed'));
          faults.failSync(false); // the disk says all is well again; nobody may believe it
          const before = traffic.acknowledged;
          await until('the process not to be ready', async () => !(await server.ready()));
          await until('many refusals', async () => (await world.parley.metric('parley_im_refused_total')) > 10);
          assert.equal(traffic.acknowledged, before, 'nothing is acknowledged any more');
          // what the disk never had is gone after a power cut
          assert.equal(faults.beganAnew(), false);
          const kept = faults.syncedBytes();
          server.signal(end);
          await server.ended();
          const wal = join(dataDir, 'parley.sqlite-wal');
          assert.ok(statSync(wal).size > kept, 'something was written that was never synced');
          truncateSync(wal, kept);
          faults.forget();
          await server.start();
          await traffic.flows();
          console.log(formatReport(await traffic.finish()));
        }),
    );

  it('loses nothing that was acknowledged in a power cut at any moment', { timeout: 120_000 }, () =>
    onStandalone(async ({ world, server, faults, dataDir }) => {
      const traffic = await startTraffic(world, SMALL);
      let dropped = 0;
      for (let cut = 0; cut < 4; cut++) {
        await traffic.flows();
        const mark = traffic.acknowledged + 5 + Math.floor(Math.random() * 20);
        await until('some traffic', () => traffic.acknowledged >= mark);
        await server.kill();
        assert.equal(faults.beganAnew(), false);
        const wal = join(dataDir, 'parley.sqlite-wal');
        dropped += statSync(wal).size - faults.syncedBytes();
        truncateSync(wal, faults.syncedBytes());
        faults.forget();
        await server.start();
      }
      console.log(`${dropped} bytes were never synced`);
      await traffic.flows();
      console.log(formatReport(await traffic.finish()));
    }),
  );

  it(
    'that is damaged is refused, with its name and what to do, and is as good as ever when it is put back',
    {
      timeout: 120_000,
    },
    () =>
      onStandalone(async ({ world, server, dataDir }) => {
        const traffic = await startTraffic(world, SMALL);
        await traffic.flows();
        await server.stop();
        const database = join(dataDir, 'parley.sqlite');
        const good = readFileSync(database);
        const refused = async (bad: Uint8Array, why: RegExp) => {
          writeFileSync(database, bad);
          const said = await server.start().then(
            () => 'it started',
            (error: Error) => error.message,
          );
          const line = said.split('\n').find(text => text.startsWith('parley: ')) ?? said;
          assert.ok(line.includes(database), line);
          assert.match(line, why);
          assert.match(line, /restore (a|the newest) backup \('?parley restore'?\)/);
        };
        const header = Buffer.from(good);
        header.fill('garbage ', 0, 100);
        await refused(header, /is no database/);
        const flipped = Buffer.from(good);
        for (let page = 2; page * 4096 < flipped.length; page += 3) flipped.fill(0xa5, page * 4096, page * 4096 + 32);
        await refused(flipped, /is damaged/);
        await refused(good.subarray(0, Math.floor(good.length / 8192) * 4096), /is damaged/);
        writeFileSync(database, good);
        await server.start();
        await traffic.flows();
        console.log(formatReport(await traffic.finish()));
      }),
  );

  it(
    'keeps order, lives and expiries when the clock is set back five minutes, and over a restart after that',
    {
      timeout: 120_000,
    },
    () =>
      onStandalone(async ({ world, server, faults }) => {
        const traffic = await startTraffic(world, SMALL);
        await traffic.flows();
        faults.clockAhead(-300_000);
        const someone = await world.device(await world.person('Somebody'));
        await someone.client.setPresence(PreferredAvailability.BUSY, { expiresMs: Date.now() + 3_000 });
        await traffic.flows();
        await until('the set clock to be noticed', () => server.log().includes('store.time.clock_set_back'), {
          timeoutMs: 20_000,
        });
        await someone.client.watch([someone.person.id]);
        await sees(someone.client, someone.person.id, 3_000, 4_500); // it has expired
        await server.kill();
        await server.start();
        await traffic.flows();
        assert.match(server.log(), /store\.time\.behind_file/);
        faults.clockAhead(0);
        await traffic.flows();
        console.log(formatReport(await traffic.finish()));
      }),
  );

  it('that lost the end of its log although that was synced is found out', { timeout: 120_000 }, () =>
    onStandalone(async ({ world, server, faults, dataDir }) => {
      const intact = async () => {
        const { result } = await world.verify();
        return result.intact && result.beyondCheckpoint === 0n ? result : undefined;
      };
      const wal = join(dataDir, 'parley.sqlite-wal');
      // whether anything is only in that log is a matter of chance: it may just have been taken into the file
      for (let round = 0; round < 8; round++) {
        await world.verify(); // whoever looks is there before the loss
        const { size } = statSync(wal);
        const traffic = await startTraffic(world, SMALL);
        await traffic.flows();
        await traffic.stop();
        await until('everything to be under a signed checkpoint', async () => (await intact()) !== undefined);
        const before = (await world.verify()).result.links;
        await server.kill();
        assert.equal(faults.beganAnew(), false);
        truncateSync(wal, Math.min(size, statSync(wal).size));
        faults.forget();
        await server.start();
        const { result, findings } = await world.verify();
        if (result.links >= before) continue;
        assert.equal(result.intact, false);
        assert.ok(findings.some(({ kind }) => kind === FindingKind.CHECKPOINT_MISMATCH));
        return;
      }
      assert.fail('nothing was ever lost');
    }),
  );
});
