import { join, resolve } from 'node:path';
import { checkpointDir } from '../key-material.ts';
import { createKeys } from '../keys.ts';
import { TARGET_NAMES } from '../routes.ts';
import type { Topology } from '../topology.ts';
import { archiveHeads } from '../transfer/archive-heads.ts';
import { placeCheckpoints } from '../transfer/checkpoint-files.ts';
import { mayExpire, SIGNS_OF_LIFE, type Transferable, transferables } from '../transfer/decisions.ts';
import { checkFiles } from '../transfer/folder.ts';
import { importCollection } from '../transfer/import-collection.ts';
import { type ImportState, openImportState } from '../transfer/import-state.ts';
import { placeKeys } from '../transfer/key-files.ts';
import { allTopics } from '../transfer/log-readers.ts';
import { type ExportManifest, type ReadManifest, readManifest } from '../transfer/manifest.ts';
import { type Progress, share } from '../transfer/progress.ts';
import { reading } from '../transfer/reading.ts';
import { nobodyRuns } from '../transfer/signs-of-life.ts';
import { type CommandContext, type CommonOptions, keysDir, withTopology } from './context.ts';
import { rate } from './export.ts';
import { migrate } from './migrate.ts';

/** What `parley import` may be told. */
export interface ImportOptions extends CommonOptions {
  readonly from: string;
  /** Private keys of the export, when it holds any; default true. */
  readonly keys?: boolean;
  readonly manifestSha256?: string;
}

type Found = ReadManifest<'parley-export'>;

/**
 * `parley import`: fills an empty installation, of either topology, with an export. Everything is checked before
 * anything is written; accounts come last; cut off, it goes on when run again. Returns what it did, a line each.
 */
export async function importAll(
  context: CommandContext,
  options: ImportOptions,
  progress: Progress,
): Promise<readonly string[]> {
  const from = resolve(options.from);
  const found = readManifest(from, 'parley-export', options.manifestSha256);
  const collections = planOf(found.manifest);
  const problems = await checkFiles(from, found.manifest.files, (n, of) => progress.at(`checking: ${share(n, of)}`));
  if (problems.length > 0)
    throw new Error(
      `the export is not as it was written; nothing was imported:\n${problems.map(p => `  ${p}`).join('\n')}`,
    );
  try {
    await migrate(context);
    return await withTopology(context, topology =>
      fill(context, topology, options, { from, found, collections, progress }),
    );
  } finally {
    progress.done();
  }
}

interface Plan extends Transferable {
  readonly file: string;
  readonly documents: number;
}

/** Collections of the export as this server knows them, in the order to import. */
function planOf(manifest: ExportManifest): readonly Plan[] {
  const known = transferables();
  const unknown = manifest.collections.filter(
    c => !known.some(({ service, spec }) => service === c.service && spec.name === c.name),
  );
  if (unknown.length > 0)
    throw new Error(
      `the export holds what this server does not know: ${unknown.map(c => c.name).join(', ')}; it was written by server ${manifest.server}`,
    );
  return known.flatMap(one => {
    const listed = manifest.collections.find(c => c.name === one.spec.name && c.service === one.service);
    return listed ? [{ ...one, file: listed.file, documents: listed.documents }] : [];
  });
}

interface Filling {
  readonly from: string;
  readonly found: Found;
  readonly collections: readonly Plan[];
  readonly progress: Progress;
}

async function fill(
  context: CommandContext,
  topology: Topology,
  options: ImportOptions,
  { from, found: { manifest, sha256 }, collections, progress }: Filling,
): Promise<readonly string[]> {
  const { config, clock, ids } = context;
  const state = await openImportState(await topology.store('parley'));
  const before = await state.find();
  if (before?.finishedMs !== undefined && before.manifest === sha256)
    return [`this export was imported ${new Date(before.finishedMs).toISOString()}; nothing to do`];
  await nobodyRuns(topology, { clock: context.clock, progress, task: 'import' });
  if (before === undefined) {
    await refuseUnlike(context, topology, manifest);
    await refuseFull(topology);
  } else if (before.manifest !== sha256 || before.finishedMs !== undefined)
    throw new Error('another export was imported here, wholly or in part; import into an empty installation');

  const keys = placeKeys(from, manifest.files, keysDir(config), manifest.keys && options.keys !== false);
  const made = createKeys(keysDir(config), TARGET_NAMES, ids);
  const now = async () => (await topology.store('parley')).now();
  const complete = new Set((before ?? (await state.begin(sha256, await now()))).complete);
  const checkpoints = placeCheckpoints(from, manifest.files, checkpointDir(config));

  const started = clock.monotonic();
  const wanted = collections.reduce((sum, c) => sum + c.documents, 0);
  let done = 0;
  for (const plan of collections) {
    if (!complete.has(plan.spec.name))
      await importOne(context, topology, state, plan, from, n => {
        const all = done + n;
        progress.at(`${plan.spec.name}: ${all} of ${wanted} documents, ${rate(all, clock.monotonic() - started)}`);
      });
    done += plan.documents;
  }
  await compareHeads(topology, manifest);
  await state.finish(await now());
  const seconds = (clock.monotonic() - started) / 1000;
  return [
    `imported ${wanted} documents of ${collections.length} collections in ${seconds.toFixed(1)} s (${rate(wanted, seconds * 1000)})`,
    `archive: ${manifest.archive.length} chains end as exported; new messages begin chains of epoch ${await topology.eventLog.epoch()}`,
    `checkpoint copies: ${checkpoints.placed} files put into ${checkpointDir(config)}${checkpoints.kept.length > 0 ? `, ${checkpoints.kept.length} were there` : ''}`,
    keys.placed.some(name => name.endsWith('.pem'))
      ? `keys: ${keys.placed.length} files put into ${keysDir(config)}; give each process the ones it needs`
      : `keys: ${made.length > 0 ? `made ${made.length} new files in` : 'those in'} ${keysDir(config)}; archiving needs ${keys.publicKeys.join(', ') || 'nothing more'} there to verify what was signed before`,
    ...manifest.left.map(({ name, why }) => `not carried: ${name}, ${why}`),
    'now: start the services, then parleyctl archive verify',
  ];
}

async function importOne(
  { clock }: CommandContext,
  topology: Topology,
  state: ImportState,
  { service, spec, file, documents }: Plan,
  from: string,
  progress: (documents: number) => void,
): Promise<void> {
  const collection = (await topology.store(service)).collection(spec);
  const read = await importCollection({ name: spec.name, collection, file: join(from, file), clock, progress });
  const there = await reading(topology, service, reader => reader.count(spec));
  if (read !== documents || there > documents || (there < documents && !mayExpire(spec)))
    throw new Error(`${spec.name}: ${documents} documents were exported, ${read} read, and ${there} are there now`);
  await state.complete(spec.name);
}

/** What could not be undone later is refused first: another history of the log, a clock that is behind. */
async function refuseUnlike({ config }: CommandContext, topology: Topology, manifest: ExportManifest): Promise<void> {
  const now = await (await topology.store('parley')).now();
  if (now < manifest.createdMs)
    throw new Error(
      `the database's clock says ${new Date(now).toISOString()} and the export was made ${manifest.created}: set the clock first, or new messages would stand before old ones`,
    );
  for (const { name } of allTopics(config))
    for (const { partition, low, high } of await topology.eventLog.ends(name))
      if (high > low)
        throw new Error(
          `topic ${name} holds ${high - low} records in partition ${partition}; import into an empty installation`,
        );
  const epoch = String(await topology.eventLog.epoch()).padStart(16, '0');
  if (manifest.archive.some(({ chain }) => chain.startsWith(`${epoch}/`)))
    throw new Error(`the log is of epoch ${epoch}, of which the export has chains already; import into a new log`);
}

async function refuseFull(topology: Topology): Promise<void> {
  const full: string[] = [];
  for (const { service, spec, decision } of transferables()) {
    if (!decision.carried || SIGNS_OF_LIFE[spec.name]) continue;
    if ((await reading(topology, service, reader => reader.count(spec, 1))) > 0) full.push(spec.name);
  }
  if (full.length > 0) throw new Error(`this installation is not empty (${full.join(', ')}); import into a new one`);
}

async function compareHeads(topology: Topology, manifest: ExportManifest): Promise<void> {
  const heads = new Map((await archiveHeads(await topology.store('archiving'))).map(head => [head.chain, head]));
  for (const { chain, next, hash } of manifest.archive) {
    const head = heads.get(chain);
    if (head?.next !== next || head.hash !== hash)
      throw new Error(`chain ${chain} of the archive does not end as it was exported`);
  }
}
