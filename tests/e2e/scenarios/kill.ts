import assert from 'node:assert/strict';
import { until } from '@parley/testkit';
import type { Scenario } from '../scenario.ts';
import { startTraffic } from '../traffic/traffic.ts';

/** Kills of the one process of a standalone installation; in a pool every service is killed. */
const KILLS = 20;
/** Acknowledgements between two kills. */
const BETWEEN = 20;

export const kill: Scenario = {
  name: 'kill -9 in the middle of traffic, twenty times, loses, repeats and reorders nothing that was acknowledged',
  config: {
    im: { keyVisibleMs: 2_000, reconcileMarginMs: 500 },
    presence: { graceMs: 15_000 },
    session: { syncIntervalMs: 5_000 },
  },
  async run(world) {
    const { parley } = world;
    const traffic = await startTraffic(world, { pairs: 8, everyMs: 40 });
    const victims =
      parley.topology === 'standalone'
        ? Array.from({ length: KILLS }, () => parley.processes).flat()
        : SERVICES.flatMap(service => parley.replicasOf(service).slice(0, 1));
    for (const victim of victims) {
      const mark = traffic.acknowledged + BETWEEN;
      await until(`traffic before ${victim.name} is killed`, () => traffic.acknowledged >= mark, { timeoutMs: 60_000 });
      await new Promise(resolve => setTimeout(resolve, Math.random() * 20)); // anywhere between two acknowledgements
      await victim.kill();
      await victim.start();
    }
    await traffic.flows();
    const report = await traffic.finish();
    assert.ok(report.acknowledged > victims.length * BETWEEN);
  },
};

const SERVICES = ['im', 'session', 'presence', 'archiving', 'directory'];
