import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BulkReader } from '@parley/store';
import { checkpointDir } from '../key-material.ts';
import type { Topology } from '../topology.ts';
import { archiveHeads, chainReach } from '../transfer/archive-heads.ts';
import { catchUp } from '../transfer/catch-up.ts';
import { copyCheckpoints } from '../transfer/checkpoint-files.ts';
import { mayExpire, type Transferable, transferables } from '../transfer/decisions.ts';
import { encodeDocument } from '../transfer/documents.ts';
import { beginFolder, type NewFolder } from '../transfer/folder.ts';
import { copyKeys } from '../transfer/key-files.ts';
import { allTopics, lagOf, logReaders, sayLag } from '../transfer/log-readers.ts';
import { type ExportManifest, FORMAT_VERSION } from '../transfer/manifest.ts';
import type { Progress } from '../transfer/progress.ts';
import { reading } from '../transfer/reading.ts';
import { nobodyRuns } from '../transfer/signs-of-life.ts';
import { VERSION } from '../version.ts';
import { type CommandContext, type CommonOptions, keysDir, withTopology } from './context.ts';

/** What `parley export` may be told. */
export interface ExportOptions extends CommonOptions {
  /** Directory to make. */
  readonly to: string;
  /** Private keys, too. */
  readonly keys?: boolean;
  /** How long the log may take to be read to its end, milliseconds. */
  readonly waitMs?: number;
}

/** Documents of these lines are gathered before they are written. */
const WRITE_BYTES = 1024 * 1024;
const WAIT_MS = 300_000;

/**
 * `parley export`: writes every collection that is to be carried, the checkpoint copies and keys into a new directory,
 * in a form that either topology imports. The services must be stopped; what reads the log is run here until nothing is
 * left to read. Returns what it did, a line each.
 */
export async function exportAll(
  context: CommandContext,
  options: ExportOptions,
  progress: Progress,
): Promise<readonly string[]> {
  const target = resolve(options.to);
  if (existsSync(target)) throw new Error(`${target} exists; name a new directory`);
  return withTopology(context, async topology => {
    await nobodyRuns(topology, { clock: context.clock, progress, task: 'export' });
    await catchUp(context, topology, { waitMs: options.waitMs ?? WAIT_MS, progress });
    const readers = new Map<string, BulkReader>();
    let folder: NewFolder | undefined;
    try {
      for (const { service } of transferables())
        if (!readers.has(service)) readers.set(service, await topology.bulkReader(service));
      folder = beginFolder(target, 'an export');
      return await write(context, topology, options, { folder, readers, progress });
    } catch (error) {
      folder?.abandon();
      throw error;
    } finally {
      progress.done();
      for (const reader of readers.values()) await reader.close();
    }
  });
}

interface Writing {
  readonly folder: NewFolder;
  readonly readers: ReadonlyMap<string, BulkReader>;
  readonly progress: Progress;
}

async function write(
  context: CommandContext,
  topology: Topology,
  options: ExportOptions,
  { folder, readers, progress }: Writing,
): Promise<readonly string[]> {
  const { config, clock } = context;
  const log = await logState(context, topology);
  const createdMs = await (await topology.store('directory')).now();
  const started = clock.monotonic();
  const collections: ExportManifest['collections'] = [];
  const left: ExportManifest['left'] = [];
  let total = 0;
  for (const { service, spec, decision } of transferables()) {
    if (!decision.carried) {
      left.push({ service, name: spec.name, why: decision.why });
      continue;
    }
    const file = folder.begin(`${service}/${spec.name}.jsonl`);
    let documents = 0;
    let lines: string[] = [];
    let waiting = 0;
    for await (const docs of (readers.get(service) as BulkReader).read(spec)) {
      for (const doc of docs) {
        const line = encodeDocument(doc);
        lines.push(line);
        waiting += line.length;
        if (waiting < WRITE_BYTES) continue;
        file.write(lines.join(''));
        lines = [];
        waiting = 0;
      }
      documents += docs.length;
      progress.at(`${spec.name}: ${documents} documents, ${rate(total + documents, clock.monotonic() - started)}`);
    }
    file.write(lines.join(''));
    collections.push({ service, name: spec.name, file: file.end().path, documents });
    total += documents;
  }
  const archiving = await topology.store('archiving');
  const archive = await archiveHeads(archiving);
  copyCheckpoints(folder, checkpointDir(config), createdMs, await chainReach(archiving, archive));
  const keys = copyKeys(folder, keysDir(config), options.keys === true);
  await refuseChanged(context, topology, collections, log);
  const seconds = (clock.monotonic() - started) / 1000;
  const sha256 = folder.finish({
    format: 'parley-export',
    version: FORMAT_VERSION['parley-export'],
    server: VERSION,
    created: new Date(createdMs).toISOString(),
    createdMs,
    keys: options.keys === true,
    collections,
    left,
    archive: [...archive],
    log,
  } satisfies Omit<ExportManifest, 'files'>);
  return [
    `exported ${total} documents of ${collections.length} collections in ${seconds.toFixed(1)} s (${rate(total, seconds * 1000)}) to ${resolve(options.to)}`,
    `inside: everything anybody wrote, password hashes, the archive with ${archive.length} chains and its checkpoint copies${options.keys ? `, and ${keys.length} key files: keep it like the keys themselves` : '; no private keys (--keys takes them along)'}`,
    ...left.map(({ name, why }) => `left behind: ${name}, ${why}`),
    `SHA-256 of the manifest, to be written down elsewhere: ${sha256}`,
    `now: parley import --from ${resolve(options.to)} in the new installation, and do not start this one again`,
  ];
}

/** `12,345 documents/s`. */
export const rate = (documents: number, ms: number): string =>
  `${Math.round(documents / Math.max(0.001, ms / 1000)).toLocaleString('en')} documents/s`;

async function logState({ config }: CommandContext, { eventLog }: Topology): Promise<ExportManifest['log']> {
  const partitions: ExportManifest['log']['partitions'] = [];
  for (const { name: topic } of allTopics(config)) {
    const groups = logReaders(config);
    const committed = await Promise.all(groups.map(group => eventLog.committed(topic, group)));
    for (const { partition, low, high } of await eventLog.ends(topic)) {
      const positions = groups.map((group, i) => [group, committed[i]?.get(partition) ?? low] as const);
      partitions.push({ topic, partition, low, high, committed: Object.fromEntries(positions) });
    }
  }
  return { epoch: await eventLog.epoch(), partitions };
}

/** Nothing may have been written meanwhile: what is exported is to be one moment. */
async function refuseChanged(
  context: CommandContext,
  topology: Topology,
  collections: ExportManifest['collections'],
  before: ExportManifest['log'],
): Promise<void> {
  const lags = await lagOf(topology.eventLog, context.config);
  const changed = lags.length > 0 ? [sayLag(lags)] : [];
  if (JSON.stringify(await logState(context, topology)) !== JSON.stringify(before)) changed.push('the log grew');
  const specs = new Map<string, Transferable>(transferables().map(one => [one.spec.name, one]));
  for (const { service, name, documents } of collections) {
    const { spec } = specs.get(name) as Transferable;
    const now = await reading(topology, service, reader => reader.count(spec));
    if (now > documents || (now < documents && !mayExpire(spec)))
      changed.push(`${name} had ${documents} documents and has ${now}`);
  }
  if (changed.length > 0)
    throw new Error(
      `something was written while exporting, and nothing was kept: ${changed.join('; ')}; stop every service, then export again`,
    );
}
