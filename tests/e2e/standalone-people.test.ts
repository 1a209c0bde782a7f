import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runScenarios } from './run.ts';

runScenarios(async () => ({
  topology: 'standalone',
  config: { standalone: { logFaultFile: 'log-fault' } },
  faults: parley => ({
    logDown: async () => writeFileSync(join(parley.dir, 'log-fault'), 'hang'),
    logUp: async () => rmSync(join(parley.dir, 'log-fault')),
  }),
}));
