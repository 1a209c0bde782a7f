import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { beginSqliteEpoch } from '@parley/event-log';
import type { Clock, Ids } from '@parley/runtime';
import { openSqliteSnapshot } from '@parley/store';
import type { ParleyConfig } from '../config.ts';
import { checkpointDir } from '../key-material.ts';
import { createKeys } from '../keys.ts';
import { TARGET_NAMES } from '../routes.ts';
import { databaseFile } from '../topology.ts';
import { placeCheckpoints } from '../transfer/checkpoint-files.ts';
import { checkFile, checkFiles, megabytes, needSpace, placeFile, syncPath } from '../transfer/folder.ts';
import { placeKeys } from '../transfer/key-files.ts';
import { logReaders } from '../transfer/log-readers.ts';
import { readManifest } from '../transfer/manifest.ts';
import { type Progress, share } from '../transfer/progress.ts';
import { CONFIGURATION, DATABASE } from './backup.ts';
import { type CommonOptions, keysDir, readConfig } from './context.ts';

/** What `parley restore` may be told. */
export interface RestoreOptions extends CommonOptions {
  readonly from: string;
  /** Private keys of the backup, when it holds any; default true. */
  readonly keys?: boolean;
  readonly manifestSha256?: string;
}

const AS_WRITTEN = 'the backup is not as it was written; nothing was restored';
/** Where files stand until all of them are there. */
const STAGE = 'restore.partial';
/** What a file system puts into an empty directory of its own. */
const NOBODYS = new Set(['lost+found', STAGE]);

/**
 * `parley restore`: puts a backup into an empty data directory. The database goes to its place last, so that what was
 * cut off is no installation. Returns what it did and what is to be done, a line each.
 */
export async function restore(
  { clock, ids }: { readonly clock: Clock; readonly ids: Ids },
  options: RestoreOptions,
  progress: Progress,
): Promise<readonly string[]> {
  const from = resolve(options.from);
  const { manifest } = readManifest(from, 'parley-backup', options.manifestSha256);
  const listed = manifest.files.find(file => file.path === CONFIGURATION);
  const changed = listed && (await checkFile(from, listed));
  if (changed !== undefined) throw new Error(`${AS_WRITTEN}:\n  ${changed}`);
  const config = configOf(from, options, listed !== undefined);
  const { dataDir } = config;
  const database = databaseFile(config);
  if (database === undefined) throw new Error(`the configuration names a pool; a backup is restored as standalone`);
  refuseInUse(dataDir);
  if (clock.now() < manifest.createdMs)
    throw new Error(
      `this machine's clock says ${new Date(clock.now()).toISOString()} and the backup was made ${manifest.created}: set the clock first, or new messages would stand before old ones`,
    );
  needSpace(
    dataDir,
    manifest.files.reduce((sum, file) => sum + file.bytes, 0),
  );
  const problems = await checkFiles(from, manifest.files, (n, of) => progress.at(`checking: ${share(n, of)}`));
  if (problems.length > 0) throw new Error(`${AS_WRITTEN}:\n${problems.map(p => `  ${p}`).join('\n')}`);

  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const stage = join(dataDir, STAGE);
  rmSync(stage, { recursive: true, force: true });
  const staged = join(stage, DATABASE);
  progress.at('copying the database');
  placeFile(join(from, DATABASE), staged);
  const epoch = beginSqliteEpoch(staged, { clock, ids, groups: logReaders(config) });
  refuseDamaged(staged);
  const checkpoints = placeCheckpoints(from, manifest.files, checkpointDir(config));
  const keys = placeKeys(from, manifest.files, keysDir(config), manifest.keys && options.keys !== false);
  const made = createKeys(keysDir(config), TARGET_NAMES, ids);
  if (listed) placeFile(join(from, CONFIGURATION), join(dataDir, CONFIGURATION));
  renameSync(staged, database);
  rmSync(stage, { recursive: true });
  syncPath(dataDir);
  progress.done();
  return [
    `restored ${megabytes(manifest.files.reduce((sum, file) => sum + file.bytes, 0))} MB, made ${manifest.created} by server ${manifest.server}, to ${dataDir}`,
    `checkpoint copies: ${checkpoints.placed} files put into ${checkpointDir(config)}${checkpoints.kept.length > 0 ? `; ${checkpoints.kept.length} were there and stay as they are` : ''}`,
    keys.placed.some(name => name.endsWith('.pem'))
      ? `keys: ${keys.placed.length} files put into ${keysDir(config)}`
      : `keys: ${made.length > 0 ? `made ${made.length} new files in` : 'those in'} ${keysDir(config)}; what was signed before is verified with ${keys.publicKeys.join(', ') || 'no key, there was none'}`,
    ...(epoch === undefined
      ? []
      : [`the log begins a new epoch, ${epoch}: the archive's chains of before end where the backup ends`]),
    ...elsewhere(config),
    `now: parley serve --data-dir ${dataDir}, then parleyctl archive verify. What was changed since the backup is undone: look at who is disabled, at passwords, roles and policies`,
    ...(manifest.environment.length > 0
      ? [`the installation had settings in the environment: ${manifest.environment.join(', ')}`]
      : []),
  ];
}

/** The configuration in the backup, with what the command and the environment say on top. */
function configOf(from: string, options: RestoreOptions, listed: boolean): ParleyConfig {
  const own = options.config === undefined && listed && { config: join(from, CONFIGURATION) };
  return readConfig({ ...options, ...own });
}

function refuseInUse(dataDir: string): void {
  const there = existsSync(dataDir) ? readdirSync(dataDir).filter(name => !NOBODYS.has(name)) : [];
  if (there.length > 0)
    throw new Error(
      `${dataDir} is not empty (${there.slice(0, 3).join(', ')}${there.length > 3 ? ', …' : ''}): stop what runs there and name an empty directory with --data-dir`,
    );
}

function refuseDamaged(path: string): void {
  const copy = openSqliteSnapshot({ path, immutable: true });
  const problems = copy.check();
  copy.close();
  if (problems.length > 0)
    throw new Error(`the restored database is damaged: ${problems.join('; ')}; look at the disk, then try again`);
}

/** Places outside the data directory that two installations could come to share. */
function elsewhere(config: ParleyConfig): readonly string[] {
  const places = [
    ['checkpointCopyDir', checkpointDir(config)],
    ['keysDir', keysDir(config)],
  ] as const;
  return places
    .filter(([, place]) => relative(config.dataDir, place).startsWith('..'))
    .map(
      ([name, place]) =>
        `${name} is ${place}, outside of the data directory: should the installation of before still run (a rehearsal), name another one before you start`,
    );
}
