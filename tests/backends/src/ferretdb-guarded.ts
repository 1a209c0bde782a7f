/** FerretDB's own program in front of a database that runs: with authentication (SCRAM-SHA-256) and TLS, and nothing else. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from './build.ts';
import type { Backends } from './index.ts';
import { accepts, HOST } from './net.ts';
import { openOwnedRun } from './owned.ts';
import { type BackendHandle, createServerProcess } from './server.ts';
import { type Log, stderrLog } from './tools.ts';
import { artefactDir } from './versions.ts';

/** What to run. */
export interface GuardedMongoOptions {
  /** Servers with a document database; users are made on its open front (`createUser`), which goes on beside this one. */
  readonly behind: Backends;
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities in PEM; when given, clients must show a certificate of theirs. */
  readonly clientCaFile?: string;
  readonly log?: Log;
}

/** A front that wants TLS and a password. It checks who somebody is, not what he may do: FerretDB has no roles. */
export interface GuardedMongo extends BackendHandle {
  readonly port: number;
  stop(outcome?: 'clean' | 'failed'): Promise<void>;
}

/** Starts it; builds it when it is missing. */
export async function startGuardedMongo(options: GuardedMongoOptions): Promise<GuardedMongo> {
  const log = options.log ?? stderrLog;
  await build({ only: ['ferretdb-server'], log });
  const owned = await openOwnedRun(['mongo'], log);
  const port = owned.run.port('mongo');
  const state = join(owned.run.dir, 'ferretdb');
  await mkdir(state, { recursive: true });
  return owned.guard(async () => {
    const server = createServerProcess({
      ...owned.run.server('ferretdb-server'),
      // the database's socket, by a path that is short enough
      cwd: join(options.behind.dir, 'postgres'),
      command: [
        join(artefactDir('ferretdb-server'), 'bin', 'ferretdb'),
        '--postgresql-url=postgres://postgres@/postgres?host=/proc/self/cwd',
        '--auth',
        '--listen-addr=-',
        `--listen-tls=${HOST}:${port}`,
        `--listen-tls-cert-file=${options.certFile}`,
        `--listen-tls-key-file=${options.keyFile}`,
        ...(options.clientCaFile === undefined ? [] : [`--listen-tls-ca-file=${options.clientCaFile}`]),
        '--debug-addr=-',
        '--telemetry=disable',
        '--log-level=WARN',
        `--state-dir=${state}`,
      ],
      ready: () => accepts(port),
      stopSignal: 'SIGTERM',
    });
    owned.add(server);
    await server.start();
    return { ...server, port, stop: owned.stop };
  });
}
