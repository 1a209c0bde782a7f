import { existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { inspectSqliteLog } from '@parley/event-log';
import { createSqliteStore, openSqliteSnapshot, sqliteBulkReader } from '@parley/store';
import { checkpointDir } from '../key-material.ts';
import { rememberBackup } from '../last-backup.ts';
import { databaseFile } from '../topology.ts';
import { archiveHeads, chainReach } from '../transfer/archive-heads.ts';
import { copyCheckpoints } from '../transfer/checkpoint-files.ts';
import { transferables } from '../transfer/decisions.ts';
import { beginFolder, checkFiles, filesBelow, megabytes, type NewFolder, needSpace } from '../transfer/folder.ts';
import { copyKeys } from '../transfer/key-files.ts';
import { type BackupManifest, FORMAT_VERSION, readManifest } from '../transfer/manifest.ts';
import { type Progress, share } from '../transfer/progress.ts';
import { VERSION } from '../version.ts';
import { type CommandContext, type CommonOptions, configFile, keysDir } from './context.ts';

/** Files of a backup. */
export const DATABASE = 'parley.sqlite';
export const CONFIGURATION = 'parley.yaml';

const POOL =
  'a pool keeps its data in servers of their own, which their own tools back up: mongodump or Percona Backup for MongoDB (FerretDB: pg_basebackup or pg_dump), and for Kafka replication over three brokers, MirrorMaker 2 or snapshots of its volumes taken before the database; keep the key files and the directory of checkpoint copies as well. `parley export` writes all of it into one folder while the services are stopped';

/** What `parley backup` may be told. */
export interface BackupOptions extends CommonOptions {
  /** Directory to make. */
  readonly to: string;
  /** Private keys, too. */
  readonly keys?: boolean;
}

/**
 * `parley backup`: copies one snapshot of the database, the second place of the checkpoints, configuration and public
 * keys into a new directory, also while the installation runs. Returns what it did, a line each.
 */
export async function backup(
  context: CommandContext,
  options: BackupOptions,
  progress: Progress,
): Promise<readonly string[]> {
  const { config, clock } = context;
  const path = databaseFile(config);
  if (path === undefined) throw new Error(POOL);
  if (!existsSync(path)) throw new Error(`there is no database ${path}; name the data directory with --data-dir`);
  const target = resolve(options.to);
  const startedMs = clock.now();
  const snapshot = openSqliteSnapshot({ path });
  let folder: NewFolder | undefined;
  try {
    needSpace(target, snapshot.bytes + sizeBelow(checkpointDir(config)) + 1_000_000);
    folder = beginFolder(target, 'a backup');
    const copy = join(folder.dir, DATABASE);
    writeFileSync(copy, '', { mode: 0o600, flag: 'wx' });
    await snapshot.copyTo(copy, (done, total) => progress.at(`copying the database: ${share(done, total)}`));
    snapshot.close();
    const { reach, ...about } = await lookInto(copy, context, progress);
    await folder.adopt(DATABASE, bytes => progress.at(`hashing: ${share(bytes, snapshot.bytes)}`));
    copyCheckpoints(folder, checkpointDir(config), startedMs, reach);
    const file = configFile(options);
    if (file !== undefined) folder.copy(CONFIGURATION, file);
    const keys = copyKeys(folder, keysDir(config), options.keys === true);
    const sha256 = folder.finish({
      format: 'parley-backup',
      version: FORMAT_VERSION['parley-backup'],
      server: VERSION,
      created: new Date(startedMs).toISOString(),
      createdMs: startedMs,
      keys: options.keys === true,
      environment: variables(),
      ...about,
    } satisfies Omit<BackupManifest, 'files'>);
    rememberBackup(config.dataDir, { at: new Date(startedMs).toISOString(), target, sha256 });
    progress.done();
    const seconds = ((clock.now() - startedMs) / 1000).toFixed(1);
    return [
      `backed up ${megabytes(snapshot.bytes)} MB in ${seconds} s to ${target}`,
      `inside: the database with everything anybody wrote, password hashes and the archive; ${filesBelow(join(target, 'checkpoints')).length} files of checkpoint copies; ${file === undefined ? 'no configuration file, there is none' : 'the configuration file'}`,
      options.keys
        ? `inside, too: ${keys.length} key files. Whoever has this directory can sign in as anybody and sign the archive: keep it like the keys themselves`
        : 'not inside: private keys. They are not needed to restore (passwords and sign-ins go on, the archive can be verified, new keys are made); keep a copy of them elsewhere all the same, or give --keys',
      ...(variables().length > 0 ? [`not inside: settings from the environment: ${variables().join(', ')}`] : []),
      `SHA-256 of the manifest, to be written down elsewhere: ${sha256}`,
      ...sameDisk(path, target),
    ];
  } catch (error) {
    folder?.abandon();
    throw error;
  } finally {
    progress.done();
    snapshot.close();
  }
}

/** What the copy holds. Refuses a database that is damaged: a copy of it is no backup. */
async function lookInto(path: string, { clock }: CommandContext, progress: Progress) {
  progress.at('checking the copy');
  const copy = openSqliteSnapshot({ path, immutable: true });
  try {
    const problems = copy.check();
    if (problems.length > 0) throw new Error(`the database is damaged, nothing was backed up: ${problems.join('; ')}`);
    const { db } = copy.reader;
    const documents: Record<string, number> = {};
    for (const { service, spec } of transferables())
      documents[spec.name] = await sqliteBulkReader(db, databaseOf(service)).count(spec);
    const log = inspectSqliteLog(db);
    const archiving = createSqliteStore({ writer: copy.reader, database: databaseOf('archiving'), clock });
    const archive = await archiveHeads(archiving);
    return {
      reach: await chainReach(archiving, archive),
      documents,
      archive: [...archive],
      log: {
        epoch: log?.epoch ?? 0,
        partitions: (log?.partitions ?? []).map(({ topic, partition, low, high, committed }) => ({
          ...{ topic, partition, low, high },
          committed: Object.fromEntries(committed),
        })),
      },
    };
  } finally {
    copy.close();
  }
}

const databaseOf = (service: string): string => service.replaceAll('-', '_');

/** `parley backup verify`: everything against the manifest, and the database itself. Throws when something is wrong. */
export async function verifyBackup(
  dir: string,
  options: { readonly full?: boolean; readonly manifestSha256?: string },
  progress: Progress,
): Promise<readonly string[]> {
  const { manifest, sha256 } = readManifest(dir, 'parley-backup', options.manifestSha256);
  const problems = [
    ...(await checkFiles(dir, manifest.files, (done, total) => progress.at(`checking: ${share(done, total)}`))),
  ];
  if (problems.length === 0) {
    progress.at('checking the database');
    const copy = openSqliteSnapshot({ path: join(dir, DATABASE), immutable: true });
    problems.push(...copy.check(options.full));
    copy.close();
  }
  progress.done();
  if (problems.length > 0)
    throw new Error(`${dir} is not as it was written:\n${problems.map(p => `  ${p}`).join('\n')}`);
  return [
    `${dir} is whole: ${manifest.files.length} files, ${megabytes(manifest.files.reduce((n, f) => n + f.bytes, 0))} MB`,
    `made ${manifest.created} by server ${manifest.server}; ${manifest.keys ? 'with' : 'without'} private keys`,
    ...manifest.archive.map(({ chain, next, hash }) => `archive ${chain} up to offset ${next}, hash ${hash}`),
    `SHA-256 of the manifest: ${sha256}`,
  ];
}

const sizeBelow = (dir: string): number =>
  filesBelow(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);

/** Names of variables that are settings: the next installation needs them, and only a person knows where they are. */
function variables(): string[] {
  return Object.keys(process.env)
    .filter(name => /^PARLEY_(?!NODE$|TEST_|SCENARIO$|CONFIG$|DATA_DIR$)/.test(name))
    .sort();
}

function sameDisk(path: string, target: string): readonly string[] {
  return statSync(dirname(path)).dev === statSync(target).dev
    ? ['it is on the same file system as the data: move it to another machine']
    : [];
}
