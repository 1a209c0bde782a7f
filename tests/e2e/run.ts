import { describe, it } from 'node:test';
import { type ParleyUnderTest, type PoolBackends, startParley, type TopologyName } from '@parley/testkit';
import { type Faults, inWorld, type Scenario } from './scenario.ts';

/** What a topology brings to the scenarios. */
export interface Ground {
  readonly topology: TopologyName;
  readonly backends?: PoolBackends;
  readonly config?: Readonly<Record<string, unknown>>;
  /** Ways to break what stands behind `parley`. */
  faults(parley: ParleyUnderTest): Faults;
}

/** Runs scenarios: those without settings of their own share one product, the others get one each. */
export function runScenarios(
  scenarios: readonly Scenario[],
  ground: () => Promise<Ground>,
  close: () => Promise<void> = async () => undefined,
): void {
  const only = process.env.PARLEY_SCENARIO;
  const chosen = scenarios.filter(scenario => only === undefined || new RegExp(only).test(scenario.name));
  const shared = chosen.filter(scenario => scenario.config === undefined && !scenario.tls);
  const own = chosen.filter(scenario => !shared.includes(scenario));

  describe('scenarios', { concurrency: 1 }, () => {
    if (shared.length > 0) {
      it('of one product', { timeout: 600_000 }, async t => {
        const here = await ground();
        const parley = await startParley({ ...here, config: here.config ?? {} });
        try {
          for (const scenario of shared)
            await t.test(scenario.name, () => inWorld(parley, here.faults(parley), world => scenario.run(world)));
        } finally {
          await parley.stop();
        }
      });
    }
    for (const scenario of own) it(scenario.name, { timeout: 600_000 }, () => alone(scenario));
    it('leave nothing running', close);
  });

  async function alone(scenario: Scenario): Promise<void> {
    const here = await ground();
    const parley = await startParley({
      ...here,
      tls: scenario.tls ?? false,
      config: { ...here.config, ...scenario.config },
    });
    try {
      await inWorld(parley, here.faults(parley), world => scenario.run(world));
    } finally {
      await parley.stop();
    }
  }
}
