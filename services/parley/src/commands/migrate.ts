import type { CollectionSpec, Doc, Store } from '@parley/store';
import { TARGET_NAMES } from '../routes.ts';
import { TARGETS } from '../targets.ts';
import { type CommandContext, withTopology } from './context.ts';

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
 * One process at a time; others wait. Returns what it looked at, a line each.
 */
export function migrate(context: CommandContext): Promise<readonly string[]> {
  return withTopology(context, async topology => {
    const own = await topology.store('parley');
    await own.migrate([LEASES as CollectionSpec<Doc>]);
    const done: string[] = [];
    await withLease(own, context, async () => {
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
    });
    return done;
  });
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
