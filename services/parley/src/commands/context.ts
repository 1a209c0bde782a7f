import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  type Clock,
  createFollowingClock,
  createLogger,
  createMetrics,
  type FollowingClock,
  type Ids,
  type Logger,
  loadConfig,
  type Metrics,
  systemClock,
  systemIds,
} from '@parley/runtime';
import { checkConfig } from '../check-config.ts';
import { type ParleyConfig, parleyConfigSchema } from '../config.ts';
import { type Keys, openKeys } from '../keys.ts';
import { openTopology, type Topology } from '../topology.ts';

/** Options every command has. */
export interface CommonOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly target?: string;
  readonly insecureBind?: boolean;
}

/** Variables beginning with PARLEY_ that are no configuration: of the launchers, of tests, of the client. */
const OTHER_VARIABLES = [/^PARLEY_NODE$/, /^PARLEY_TEST_/, /^PARLEY_FUZZ_/, /^PARLEY_SCENARIO$/, /^PARLEY_CONFIG$/];

/** Configuration file named by option or environment, else `parley.yaml` in the data directory or here, if there. */
export function configFile(options: CommonOptions): string | undefined {
  const named = options.config ?? process.env.PARLEY_CONFIG;
  if (named !== undefined) return named;
  return [join(options.dataDir ?? process.env.PARLEY_DATA_DIR ?? 'data', 'parley.yaml'), 'parley.yaml'].find(path =>
    existsSync(path),
  );
}

/**
 * Reads and checks the whole configuration. Throws `ConfigError` with every problem; `strict` also looks for those that
 * only matter to a running server, such as certificates that have ended.
 */
export function readConfig(options: CommonOptions, { strict = false } = {}): ParleyConfig {
  const file = configFile(options);
  const sources = {
    ...(file && { file }),
    env: process.env,
    allow: OTHER_VARIABLES,
    overrides: {
      ...(options.dataDir && { dataDir: options.dataDir }),
      ...(options.target && { targets: options.target.split(',').map(name => name.trim()) }),
      ...(options.insecureBind && { insecureBind: true }),
    },
  };
  const config = loadConfig(parleyConfigSchema, sources, (value, report) => {
    if (strict) checkConfig(value, report, systemClock.now());
  });
  return { ...config, dataDir: resolve(config.dataDir) };
}

/** What commands work with. */
export interface CommandContext {
  readonly config: ParleyConfig;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly keys: Keys;
}

/** What a server works with: its clock is the machine's until it follows the database's. */
export interface ServerContext extends CommandContext {
  readonly clock: FollowingClock;
}

/** Makes what every command needs; opens nothing. */
export function commandContext(options: CommonOptions, level?: 'warn', { strict = false } = {}): ServerContext {
  const config = readConfig(options, { strict });
  const clock = createFollowingClock(systemClock);
  return {
    config,
    clock,
    ids: systemIds,
    logger: createLogger({
      level: level ?? config.log.level,
      service: config.targets.length === 1 ? (config.targets[0] as string) : 'parley',
    }),
    metrics: createMetrics(),
    keys: openKeys(keysDir(config), clock),
  };
}

/** Where the key files are. */
export function keysDir(config: ParleyConfig): string {
  return config.keysDir === '' ? join(config.dataDir, 'keys') : resolve(config.keysDir);
}

/** Runs `work` with open adapters and closes them whatever happens. */
export async function withTopology<T>(context: CommandContext, work: (topology: Topology) => Promise<T>): Promise<T> {
  const topology = await openTopology(context.config, context);
  try {
    return await work(topology);
  } finally {
    await topology.close();
  }
}
