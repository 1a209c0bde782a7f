/** Builds what is missing: under a lock, into a temporary folder, renamed at the end. A half-built cache cannot exist. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildDocumentdb, buildFerretdb } from './ferretdb.ts';
import { buildKafka } from './kafka.ts';
import { withLock } from './lock.ts';
import { buildNats } from './nats.ts';
import { buildOtelcol } from './otelcol.ts';
import type { BuildContext, Recipe } from './recipe.ts';
import { ensureTools, type Log, run, stderrLog } from './tools.ts';
import { ARTEFACTS, type ArtefactName, artefactDir, artefactKey, cacheRoot, VERSIONS } from './versions.ts';

/** The record left in every finished artefact. */
export interface BuildRecord {
  readonly name: ArtefactName;
  readonly version: string;
  readonly builtAt: string;
  readonly seconds: number;
  readonly details: Readonly<Record<string, string>>;
}

/** A program that `go install` builds from its module as it is. */
function goInstall(module: string, name: ArtefactName): Recipe {
  return {
    tools: ['go'],
    async build({ dir, logFile, step }) {
      const env = { GOBIN: join(dir, 'bin'), GOTOOLCHAIN: 'local' };
      await step('go install', () => run(['go', 'install', `${module}@v${VERSIONS[name]}`], { logFile, env }));
      return {};
    },
  };
}

const RECIPES: Record<ArtefactName, Recipe> = {
  nats: buildNats,
  kafka: buildKafka,
  ferretdb: buildFerretdb,
  documentdb: buildDocumentdb,
  'ferretdb-server': goInstall('github.com/FerretDB/FerretDB/v2/cmd/ferretdb', 'ferretdb-server'),
  grpcurl: goInstall('github.com/fullstorydev/grpcurl/cmd/grpcurl', 'grpcurl'),
  k6: goInstall('go.k6.io/k6', 'k6'),
  connectconformance: goInstall('connectrpc.com/conformance/cmd/connectconformance', 'connectconformance'),
  otelcol: buildOtelcol,
};

/** Options of `build`. */
export interface BuildOptions {
  /** What is wanted; all by default. */
  readonly only?: readonly ArtefactName[];
  readonly log?: Log;
}

/** The record of a finished artefact, or undefined when it is not built. */
export function buildRecord(name: ArtefactName): BuildRecord | undefined {
  const file = join(artefactDir(name), 'BUILT.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as BuildRecord) : undefined;
}

/** Builds what is missing and returns at once when nothing is. The slow Debian root is built beside the others. */
export async function build({ only = ARTEFACTS, log = stderrLog }: BuildOptions = {}): Promise<void> {
  const missing = (): ArtefactName[] => only.filter(name => buildRecord(name) === undefined);
  if (missing().length === 0) return;
  const started = Date.now();
  const onWait = (): void => log('another process is building; waiting for it');
  await withLock(
    join(cacheRoot(), 'build.lock'),
    async () => {
      const names = missing();
      mkdirSync(join(cacheRoot(), 'logs'), { recursive: true });
      const tools = [...new Set(names.flatMap(name => RECIPES[name].tools))];
      await ensureTools(tools, log, join(cacheRoot(), 'logs', 'tools.log'));
      log(`building ${names.join(', ')} into ${cacheRoot()}`);
      const lanes = [names.filter(n => n === 'documentdb'), names.filter(n => n !== 'documentdb')];
      const results = await Promise.allSettled(lanes.map(lane => buildLane(lane, log, started)));
      const failures = results.filter(result => result.status === 'rejected').map(result => result.reason);
      if (failures.length === 1) throw failures[0];
      if (failures.length > 1) throw new AggregateError(failures, failures.map(String).join('\n'));
    },
    onWait,
  );
  log(`built in ${seconds(started)} s`);
}

async function buildLane(names: readonly ArtefactName[], log: Log, started: number): Promise<void> {
  for (const name of names) await buildOne(name, line => log(`[${seconds(started).padStart(5)} s] ${line}`));
}

async function buildOne(name: ArtefactName, log: Log): Promise<void> {
  const started = Date.now();
  const key = artefactKey(name);
  const dir = join(cacheRoot(), `${key}.${process.pid}.tmp`);
  const logFile = join(cacheRoot(), 'logs', `${key}.log`);
  for (const entry of readdirSync(cacheRoot())) {
    if (entry.startsWith(`${name}-`) && entry.endsWith('.tmp')) await remove(join(cacheRoot(), entry));
  }
  await rm(logFile, { force: true });
  mkdirSync(dir, { recursive: true });
  const context: BuildContext = {
    dir,
    logFile,
    async step(title, body) {
      const stepStarted = Date.now();
      log(`${key}: ${title} …`);
      const heartbeat = setInterval(() => log(`${key}: ${title}, ${seconds(stepStarted)} s so far`), 30_000);
      try {
        const result = await body();
        log(`${key}: ${title} done in ${seconds(stepStarted)} s`);
        return result;
      } catch (error) {
        log(`${key}: ${title} FAILED`);
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`${key}: step "${title}" failed after ${seconds(stepStarted)} s; log: ${logFile}\n${reason}`, {
          cause: error,
        });
      } finally {
        clearInterval(heartbeat);
      }
    },
  };
  const details = await RECIPES[name].build(context);
  const record: BuildRecord = {
    name,
    version: VERSIONS[name],
    builtAt: new Date().toISOString(),
    seconds: Number(seconds(started)),
    details,
  };
  writeFileSync(join(dir, 'BUILT.json'), `${JSON.stringify(record, null, 2)}\n`);
  await remove(artefactDir(name));
  renameSync(dir, artefactDir(name));
}

async function remove(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true });
}

function seconds(since: number): string {
  return ((Date.now() - since) / 1000).toFixed(1);
}
