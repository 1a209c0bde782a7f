import { randomInt } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { inWorld } from '../../e2e/scenario.ts';
import { formatReport } from '../../e2e/traffic/ledger.ts';
import { startTraffic, type Traffic } from '../../e2e/traffic/traffic.ts';
import type { Ground } from './faults/fault.ts';
import { faultsAt } from './faults/index.ts';
import { type Pool, startPool } from './pool.ts';
import { chaos } from './run.ts';
import { noLogFaults } from './standalone.ts';

const long = process.env.PARLEY_TEST_LONG === '1';
const only = process.env.PARLEY_SCENARIO;
const sessions = Number(process.env.PARLEY_TEST_SESSIONS ?? 200);
/** A crowd of thousands has to be made, and to come back. */
const timeout = 180_000 + 50 * sessions;
/** How long outages last. */
const scale = long ? 1 : 0.4;
const faults = faultsAt(scale);

describe('a pool under steady traffic loses, repeats and reorders nothing that was acknowledged, and nobody flaps', {
  concurrency: 1,
}, () => {
  let pool: Pool;
  let ground: Ground;
  let traffic: Traffic;
  let end: () => void = () => undefined;
  let ended: Promise<void> = Promise.resolve();

  before(async () => {
    pool = await startPool({ maxConnections: 4_000 + 4 * sessions });
    await new Promise<void>((ready, failed) => {
      ended = inWorld(pool.parley, noLogFaults, async world => {
        traffic = await startTraffic(world, { blindForMs: long ? 30_000 : 15_000 });
        const pick = <T>(list: readonly T[]) => list[0] as T;
        ground = { pool, world, traffic, scale, sessions, alone: true, note: () => undefined, pick };
        ready();
        await new Promise<void>(resolve => (end = resolve));
      });
      ended.catch(failed);
    });
  });

  after(async () => {
    end();
    await ended;
    await pool?.stop();
  });

  for (const fault of faults) {
    if (only !== undefined && !new RegExp(only).test(fault.name)) continue;
    if (fault.long && !long && only === undefined) continue;
    it(fault.name, { timeout }, async t => {
      const began = performance.now();
      try {
        await traffic.flows();
        await fault.run({ ...ground, note: line => t.diagnostic(line) });
        await traffic.flows();
        const report = await traffic.settle();
        t.diagnostic(`${((performance.now() - began) / 1000).toFixed(1)} s · ${formatReport(report)}`);
      } catch (error) {
        await pool.heal();
        throw error;
      }
    });
  }

  if (only === undefined)
    it('whatever chance brings', { timeout }, async t => {
      const seed = randomInt(2 ** 31);
      t.diagnostic(`seed ${seed}`);
      const short = faults.filter(fault => !fault.long);
      await chaos(short, ground, { ms: long ? 120_000 : 20_000, seed, say: line => t.diagnostic(line) });
    });

  it('and all of it is archived', { timeout }, async t => {
    t.diagnostic(formatReport(await traffic.finish()));
  });
});
