import { runUntilSignal } from '@parley/runtime';
import type { ParleyConfig } from '../config.ts';
import { assemble } from '../process.ts';
import { openTopology } from '../topology.ts';
import { type CommonOptions, commandContext } from './context.ts';

/** `parley serve`: runs the configured services until told to stop; resolves with the exit code. */
export async function serve(options: CommonOptions & { readonly insecureBind?: boolean }): Promise<number> {
  const context = commandContext(options);
  const { config, clock, logger } = context;
  if (!config.insecureBind && !options.insecureBind) refuseOpenListeners(config);
  const topology = await openTopology(config, context);
  const { modules, health } = await assemble(config, { ...context, topology });
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
  });
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Without TLS, what people say and their tokens must not leave the machine by accident. */
function refuseOpenListeners(config: ParleyConfig): void {
  for (const section of ['public', 'grpc', 'admin'] as const) {
    const { host } = config[section];
    if (!LOOPBACK.test(host)) {
      throw new Error(
        `${section}.host is ${host}: a listener beyond loopback has no TLS; put a TLS proxy in front and give --insecure-bind if the network between is yours`,
      );
    }
  }
}
