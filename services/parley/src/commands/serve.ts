import { runUntilSignal } from '@parley/runtime';
import { assemble } from '../process.ts';
import { openTopology } from '../topology.ts';
import { type CommonOptions, commandContext } from './context.ts';

/** `parley serve`: runs the configured services until told to stop; resolves with the exit code. */
export async function serve(options: CommonOptions): Promise<number> {
  const context = commandContext(options, undefined, { strict: true });
  const { config, clock, logger } = context;
  const topology = await openTopology(config, context);
  const { modules, health, reload } = await assemble(config, { ...context, topology });
  logger.info('parley.starting', {
    targets: config.targets,
    topology: config.topology,
    publicPort: config.public.port,
  });
  return runUntilSignal(modules, {
    logger,
    clock,
    health,
    drainMs: config.drainMs,
    stopTimeoutMs: config.stopTimeoutMs,
    ...(reload && { reload }),
  });
}
