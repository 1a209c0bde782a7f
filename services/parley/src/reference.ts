import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DescService } from '@bufbuild/protobuf';
import { archivingErrors } from '@parley/archiving-service';
import { authErrors } from '@parley/auth';
import { directoryErrors } from '@parley/directory-service';
import { imErrors } from '@parley/im-service';
import { presenceErrors } from '@parley/presence-service';
import { type ErrorCatalogue, rpcErrors } from '@parley/rpc';
import { createLogger, createMetrics, describeConfig, type MetricSpec, systemClock, systemIds } from '@parley/runtime';
import { sessionErrors } from '@parley/session-service';
import type { Command } from 'commander';
import { parleyConfigSchema } from './config.ts';
import { createKeys, openKeys } from './keys.ts';
import { assemble } from './process.ts';
import { program } from './program.ts';
import { publicServicesOf, TARGET_NAMES } from './routes.ts';
import { openTopology } from './topology.ts';

/** Every setting of every service. */
export const describeConfiguration = () => describeConfig(parleyConfigSchema);

/** Every catalogue of refusals. */
export const CATALOGUES: readonly { readonly area: string; readonly catalogue: ErrorCatalogue }[] = [
  { area: 'rpc: calls of all services', catalogue: rpcErrors.catalogue },
  { area: 'auth: tokens', catalogue: authErrors.catalogue },
  { area: 'directory', catalogue: directoryErrors.catalogue },
  { area: 'presence', catalogue: presenceErrors.catalogue },
  { area: 'session', catalogue: sessionErrors.catalogue },
  { area: 'im', catalogue: imErrors.catalogue },
  { area: 'archiving', catalogue: archivingErrors.catalogue },
];

/** Proto services reachable from outside and who owns them. */
export function publicServices(): readonly { readonly owner: string; readonly service: DescService }[] {
  return TARGET_NAMES.flatMap(owner => publicServicesOf(owner).map(service => ({ owner, service })));
}

/** Commands of the server, as Markdown. */
export function serverReference(): string {
  const page = (name: string, command: Command) =>
    `### parley ${name}\n\n\`\`\`\n${command.helpInformation().trimEnd()}\n\`\`\``;
  const commands = program().commands.flatMap(command => [
    page(command.name(), command),
    ...command.commands.map(sub => page(`${command.name()} ${sub.name()}`, sub)),
  ]);
  return ['## parley', ...commands].join('\n\n');
}

/** Every metric that a process defines: puts all services together once, in a directory that goes away again. */
export async function describeMetrics(): Promise<readonly (MetricSpec & { readonly kind: string })[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-reference-'));
  // with TLS, for its metrics; nothing is started, so nobody looks for the files
  const tls = { certFile: join(dataDir, 'parley.pem'), keyFile: join(dataDir, 'parley.key') };
  const tracing = { otlpUrl: 'http://127.0.0.1:4318/v1/traces' };
  const config = parleyConfigSchema.parse({ dataDir, tracing, public: { tls } });
  const base = {
    clock: systemClock,
    ids: systemIds,
    logger: createLogger({ level: 'error', service: 'reference' }),
    metrics: createMetrics(),
  };
  try {
    createKeys(join(dataDir, 'keys'), TARGET_NAMES, systemIds);
    const topology = await openTopology(config, base);
    const { modules } = await assemble(config, {
      ...base,
      keys: openKeys(join(dataDir, 'keys'), systemClock),
      topology,
    });
    await modules.find(module => module.name === 'tracing')?.stop();
    await topology.close();
    return [...base.metrics.specs()].sort((a, b) => (a.name < b.name ? -1 : 1));
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}
