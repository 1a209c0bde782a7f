/**
 * Breaks a pool under steady traffic for some minutes and prints the reconciliation.
 * `node chaos.ts [--minutes 10] [--seed N] [--sessions 500] [--pairs 12] [--only REGEX]`; ends with 1 when anything acknowledged was lost,
 * repeated, reordered or not archived, or when somebody's presence flapped. From ten minutes on, a run goes on until every
 * fault has come once.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { inWorld } from '../../e2e/scenario.ts';
import { formatReport } from '../../e2e/traffic/ledger.ts';
import { startTraffic } from '../../e2e/traffic/traffic.ts';
import { CannotMountError } from './disk.ts';
import { FAULTS } from './faults/index.ts';
import { startPool } from './pool.ts';
import { chaos, evidenceOf } from './run.ts';
import { noLogFaults } from './standalone.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '' },
    sessions: { type: 'string', default: '500' },
    pairs: { type: 'string', default: '12' },
    only: { type: 'string', default: '' },
  },
});

function number(name: 'minutes' | 'seed' | 'sessions' | 'pairs', least: number, most: number): number {
  const value = Number(values[name]);
  if (values[name].trim() === '' || !(value >= least && value <= most)) {
    console.error(`--${name} must be a number from ${least} to ${most}, not "${values[name]}"`);
    process.exit(2);
  }
  return value;
}

const minutes = number('minutes', 0.1, 1_440);
const seed = values.seed === '' ? randomInt(2 ** 31) : number('seed', 0, 2 ** 32 - 1);
const sessions = number('sessions', 1, 5_000);
const pairs = number('pairs', 1, 500);
const say = (line: string) => console.log(line);

say(`chaos for ${minutes} minutes with seed ${seed}`);
const pool = await startPool({ maxConnections: 4 * (sessions + 8 * pairs) + 4_000 }).catch((error: unknown) => {
  if (!(error instanceof CannotMountError)) throw error;
  console.error(error.message);
  process.exit(2);
});
try {
  await inWorld(pool.parley, noLogFaults, async world => {
    const traffic = await startTraffic(world, { pairs, blindForMs: 30_000 });
    const ground = { pool, world, traffic, sessions };
    const faults = FAULTS.filter(({ name }) => new RegExp(values.only).test(name));
    const { broken, kinds } = await chaos(faults, ground, { ms: minutes * 60_000, every: minutes >= 10, seed, say });
    const report = await traffic.finish(120_000).catch(async (error: unknown) => {
      say(await evidenceOf(pool));
      throw error;
    });
    say(`\n${broken} faults, ${kinds} of ${faults.length} kinds; the reconciliation:\n${formatReport(report)}`);
  });
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await pool.stop();
}
process.exit();
