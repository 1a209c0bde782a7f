import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ParleyUnderTest, type ProductProcess, startParley } from '@parley/testkit';
import { faultLibrary, openProcessFaults, type ProcessFaults } from '../../backends/src/index.ts';
import { inWorld, type World } from '../../e2e/scenario.ts';

/** A standalone installation whose disk and clock can be broken. */
export interface Ground {
  readonly world: World;
  readonly parley: ParleyUnderTest;
  readonly server: ProductProcess;
  readonly faults: ProcessFaults;
  /** Where database and keys are. */
  readonly dataDir: string;
}

/** Settings that let outages and their ends show within seconds. */
const CONFIG = {
  im: { keyVisibleMs: 2_000, reconcileMarginMs: 500, relayEveryMs: 500 },
  presence: { graceMs: 15_000 },
  session: { syncIntervalMs: 5_000, drainMs: 1_000, drainSpreadMs: 200 },
  stopTimeoutMs: 3_000,
  archiving: { checkpointMs: 1_000 },
};

/** Faults of scenarios, which nobody uses here. */
export const noLogFaults = { logDown: async () => undefined, logUp: async () => undefined };

/** Starts one with fresh data in `dataDir`, by default a directory that goes with it. */
export async function onStandalone(
  work: (ground: Ground) => Promise<void>,
  options: { readonly dataDir?: string; readonly config?: Readonly<Record<string, unknown>> } = {},
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'parley-storage-'));
  const dataDir = options.dataDir ?? join(dir, 'data');
  const faults = openProcessFaults(await faultLibrary(), join(dir, 'faults'));
  const config = { ...CONFIG, ...options.config, dataDir };
  const parley = await startParley({ topology: 'standalone', config, env: () => faults.env });
  const server = parley.processes[0] as ProductProcess;
  try {
    await inWorld(parley, noLogFaults, world => work({ world, parley, server, faults, dataDir }));
  } finally {
    await parley.stop();
    faults.close();
    rmSync(dir, { recursive: true, force: true });
  }
}
