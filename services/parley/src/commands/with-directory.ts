import { createDirectory, type DirectoryModule } from '@parley/directory-service';
import { createHealth } from '@parley/runtime';
import { directoryKeys } from '../key-material.ts';
import type { Topology } from '../topology.ts';
import { type CommandContext, withTopology } from './context.ts';

/** The directory in process, without a sign-in: for whoever owns the installation's data and keys. */
export async function directoryOf(
  context: CommandContext,
  topology: Pick<Topology, 'store' | 'bus'>,
): Promise<DirectoryModule> {
  return createDirectory(context.config.directory, {
    ...context,
    health: createHealth(),
    store: await topology.store('directory'),
    bus: topology.bus,
    ...directoryKeys(context.keys, context.config, context),
  });
}

/** Works on the directory of a stopped installation, or of a pool; closes everything whatever happens. */
export function withDirectory<T>(
  context: CommandContext,
  work: (directory: DirectoryModule) => Promise<T>,
): Promise<T> {
  return withTopology(context, async topology => work(await directoryOf(context, topology)));
}
