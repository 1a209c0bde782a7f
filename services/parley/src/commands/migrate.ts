import { type CollectionSpec, type Doc, type Store, StoreError } from '@parley/store';
import { TARGET_NAMES } from '../routes.ts';
import { contentsOf, finalised, migrated, SCHEMA, SCHEMA_ID, SCHEMAS, type SchemaDoc, type Server } from '../schema.ts';
import { TARGETS } from '../targets.ts';
import type { Topology } from '../topology.ts';
import { VERSION } from '../version.ts';
import { type CommandContext, withTopology } from './context.ts';

/** The server that runs this code. */
export const THIS_SERVER: Server = { version: VERSION, ...SCHEMA };

/** Who migrates now: one document, changed by compare-and-set only. */
interface LeaseDoc extends Doc {
  readonly holder: string;
  readonly until: number;
}

const LEASES: CollectionSpec<LeaseDoc> = { name: 'parley_leases', indexes: {} };
const LEASE_MS = 120_000;
const WAIT_MS = 60_000;

/**
 * `parley migrate`: creates databases, collections, indexes and topics that are missing; changes nothing that is there.
 * One process at a time; others wait. With `finalise`, the formats of this version may be written from now on, and older
 * servers are refused. Returns what it looked at, a line each.
 */
export function migrate(
  context: CommandContext,
  options: { readonly finalise?: boolean } = {},
  server: Server = THIS_SERVER,
): Promise<readonly string[]> {
  return withTopology(context, topology => migrateStores(context, topology, options, server));
}

/** See {@link migrate}; on stores that are open. */
export async function migrateStores(
  context: CommandContext,
  topology: Topology,
  { finalise = false }: { readonly finalise?: boolean } = {},
  server: Server = THIS_SERVER,
): Promise<readonly string[]> {
  const own = await topology.store('parley');
  await own.migrate([LEASES as CollectionSpec<Doc>, SCHEMAS as CollectionSpec<Doc>]);
  const done: string[] = [];
  await withLease(own, context, async () => {
    const before = await readSchema(own);
    const made = contentsOf(TARGET_NAMES, context.config);
    // refuses before anything is made
    migrated(before, server, made);
    for (const name of TARGET_NAMES) {
      const { collections, topics } = TARGETS[name];
      if (collections.length > 0) {
        await (await topology.store(name)).migrate(collections);
        done.push(`${name}: ${collections.map(c => c.name).join(', ')}`);
      }
      const wanted = topics(context.config);
      if (wanted.length > 0) {
        await topology.eventLog.createTopics(wanted);
        done.push(`${name}: topic ${wanted.map(t => `${t.name} (${t.partitions})`).join(', ')}`);
      }
    }
    const after = migrated(before, server, made);
    const next = finalise ? finalised(after, server) : after;
    await writeSchema(own, before, next);
    done.push(
      next.finalised < server.writes
        ? `format ${next.finalised}; format ${server.writes} once every process runs Parley ${server.version} and 'parley migrate --finalise' is run`
        : `format ${next.finalised}, finalised by Parley ${next.finalisedBy}`,
    );
  });
  return done;
}

/** What the store knows of itself; undefined when it was never migrated. */
export async function readSchema(own: Store): Promise<SchemaDoc | undefined> {
  try {
    return await own.collection(SCHEMAS).get(SCHEMA_ID);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'store.not_migrated') return undefined;
    throw error;
  }
}

async function writeSchema(own: Store, before: SchemaDoc | undefined, next: SchemaDoc): Promise<void> {
  const schemas = own.collection(SCHEMAS);
  const written = before
    ? (await schemas.replace(next, before._rev as number)).replaced
    : (await schemas.insert(next)).inserted;
  if (!written) throw new Error("another process migrated at the same time; run 'parley migrate' again");
}

async function withLease(store: Store, { clock, ids }: CommandContext, work: () => Promise<void>): Promise<void> {
  const leases = store.collection(LEASES);
  const holder = ids.opaque();
  const giveUp = clock.monotonic() + WAIT_MS;
  for (;;) {
    const until = (await store.now()) + LEASE_MS;
    const lease: LeaseDoc = { _id: 'migrate', holder, until };
    const held = await leases.get('migrate');
    const free = !held || held.until < (await store.now());
    const taken = held
      ? free && (await leases.replace(lease, held._rev as number)).replaced
      : (await leases.insert(lease)).inserted;
    if (taken) break;
    if (clock.monotonic() > giveUp)
      throw new Error(`another process migrates this installation since ${WAIT_MS / 1000} s; try again`);
    await clock.sleep(500);
  }
  try {
    await work();
  } finally {
    const held = await leases.get('migrate');
    if (held?.holder === holder) await leases.delete('migrate', held._rev as number);
  }
}
