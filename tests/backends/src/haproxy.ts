/** HAProxy from the Debian package, run with a given configuration. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accepts } from './net.ts';
import { openOwnedRun } from './owned.ts';
import { type BackendHandle, createServerProcess } from './server.ts';
import { ensureTools, type Log, need, run, stderrLog } from './tools.ts';
import { cacheRoot } from './versions.ts';

/** What to run. */
export interface HaproxyOptions {
  /** Names of the ports the configuration needs; each is reserved, and waited for. */
  readonly ports: readonly string[];
  /** The configuration, given the reserved ports. Bind to 127.0.0.1. */
  config(ports: Readonly<Record<string, number>>): string;
  readonly log?: Log;
}

/** A running HAProxy. */
export interface Haproxy extends BackendHandle {
  readonly ports: Readonly<Record<string, number>>;
  stop(outcome?: 'clean' | 'failed'): Promise<void>;
}

/** The path of `haproxy`, installed when it is missing and this is root. */
export async function ensureHaproxy(log: Log = stderrLog): Promise<string> {
  await ensureTools(['haproxy'], log, join(cacheRoot(), 'logs', 'tools.log'));
  return need('haproxy');
}

/** Checks the configuration, starts HAProxy on it and waits until every named port accepts connections. */
export async function startHaproxy(options: HaproxyOptions): Promise<Haproxy> {
  const log = options.log ?? stderrLog;
  const binary = await ensureHaproxy(log);
  const owned = await openOwnedRun(options.ports, log);
  const ports = Object.fromEntries(options.ports.map(name => [name, owned.run.port(name)]));
  const file = join(owned.run.dir, 'haproxy.cfg');
  const base = owned.run.server('haproxy');
  await writeFile(file, options.config(ports));
  return owned.guard(async () => {
    await run([binary, '-c', '-f', file], { logFile: base.logFile });
    const server = createServerProcess({
      ...base,
      command: [binary, '-db', '-f', file],
      ready: async () => (await Promise.all(Object.values(ports).map(accepts))).every(Boolean),
      stopSignal: 'SIGTERM',
      readyTimeoutMs: 10_000,
    });
    owned.add(server);
    await server.start();
    return { ...server, ports, stop: owned.stop };
  });
}
