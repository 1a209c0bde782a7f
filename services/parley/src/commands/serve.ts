import { accessSync, constants } from 'node:fs';
import { runUntilSignal, systemClock } from '@parley/runtime';
import { archivingWords } from '../archiving-words.ts';
import type { ParleyConfig } from '../config.ts';
import { refuseDemoAccounts } from '../demo-guard.ts';
import { Explained, explain, NeedsSomebody } from '../explain.ts';
import { assemble } from '../process.ts';
import { publicUrl } from '../public-url.ts';
import { checkStore, contentsOf } from '../schema.ts';
import { tellSystemd } from '../systemd.ts';
import { databaseFile, openTopology, type Topology } from '../topology.ts';
import { VERSION } from '../version.ts';
import { type CommonOptions, commandContext, type ServerContext } from './context.ts';
import { readSchema, THIS_SERVER } from './migrate.ts';
import { directoryOf } from './with-directory.ts';

/** `parley serve`: runs the configured services until told to stop; resolves with the exit code. */
export async function serve(given: CommonOptions): Promise<number> {
  const context = commandContext(given, undefined, { strict: true });
  const { config, clock, logger } = context;
  try {
    checkDirectories(config);
    // the database measures itself by the machine's clock, where it has none of its own
    const topology = await openTopology(config, { ...context, clock: systemClock });
    const { modules, health, reload, reloadKeys } = await prepare(context, topology).catch(async error => {
      await topology.close().catch(() => undefined);
      throw error;
    });
    const { drainMs, stopTimeoutMs } = config;
    const onStarted = () => {
      tellSystemd(`${config.targets.join(', ')} on port ${config.public.port}`);
      if (process.stdout.isTTY) tellSomebody(config);
    };
    const options = { logger, clock, health, drainMs, stopTimeoutMs, onStarted };
    const reloadAll = () => {
      reloadKeys();
      reload?.();
    };
    return await runUntilSignal(modules, { ...options, reload: reloadAll });
  } catch (error) {
    throw new Explained(explain(error, config), { cause: error });
  }
}

async function prepare(context: ServerContext, topology: Topology) {
  const { config, clock, logger, metrics } = context;
  const own = await topology.store('parley');
  const following = await clock.follow({ source: () => own.now(), logger, metrics });
  checkStore(await readSchema(own), THIS_SERVER, contentsOf(config.targets, config));
  const assembled = await assemble(config, { ...context, topology });
  logger.info('parley.starting', {
    version: VERSION,
    targets: config.targets,
    topology: config.topology,
    publicPort: config.public.port,
  });
  if (config.targets.includes('directory')) {
    const directory = await directoryOf(context, topology);
    await refuseDemoAccounts(config, directory);
    const policy = await directory.globalArchiving();
    logger.info('parley.archiving', { ...policy, words: archivingWords(policy) });
  }
  return { ...assembled, modules: [...assembled.modules, following] };
}

/** Whoever starts it by hand reads one sentence rather than the log. */
function tellSomebody(config: ParleyConfig): void {
  if (['info', 'debug'].includes(config.log.level))
    console.log(`\nParley is running: open ${publicUrl(config)} in a browser. Ctrl-C stops it.\n`);
}

/** An installation is made by `init`, not by a server that was started in the wrong place. */
function checkDirectories(config: ParleyConfig): void {
  const file = databaseFile(config);
  if (file === undefined) return;
  try {
    accessSync(file);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error;
    throw new NeedsSomebody(
      `there is no database in ${config.dataDir}; name another --data-dir, or run 'parley init'`,
      {
        cause: error,
      },
    );
  }
  for (const path of [config.dataDir, file]) accessSync(path, constants.R_OK | constants.W_OK);
}
