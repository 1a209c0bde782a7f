import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Backends, startBackends } from '../backends/src/index.ts';
import { runScenarios } from './run.ts';
import type { Scenario } from './scenario.ts';

/** Runs scenarios on the standalone edition, whose log can be told to hang. */
export function onStandalone(scenarios: readonly Scenario[]): void {
  runScenarios(scenarios, async () => ({
    topology: 'standalone',
    config: { standalone: { logFaultFile: 'log-fault' } },
    faults: parley => ({
      logDown: async () => writeFileSync(join(parley.dir, 'log-fault'), 'hang'),
      logUp: async () => rmSync(join(parley.dir, 'log-fault')),
    }),
  }));
}

/** Runs scenarios on a pool with servers of its own. */
export function onPool(scenarios: readonly Scenario[]): void {
  let backends: Backends | undefined;
  runScenarios(
    scenarios,
    async () => {
      backends ??= await startBackends({ nats: true, kafka: true, mongo: true });
      const { nats, kafka, mongo } = backends;
      if (!nats || !kafka || !mongo) throw new Error('a server is missing');
      return {
        topology: 'pool',
        backends: { natsUrl: nats.url, kafkaBrokers: kafka.brokers, mongoUrl: mongo.url },
        // the broker hangs, so that appends end with an unknown outcome
        faults: () => ({ logDown: async () => kafka.pause(), logUp: async () => kafka.resume() }),
      };
    },
    async () => backends?.stop(),
  );
}
