import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, createLogger } from '@parley/runtime';
import type { Doc } from '@parley/store';
import { type CommandContext, commandContext, withTopology } from '../commands/context.ts';
import { init } from '../commands/init.ts';
import { migrate } from '../commands/migrate.ts';
import { transferables } from '../transfer/decisions.ts';

/** Directories that go away with the test. */
export function scratch(t: { after(fn: () => void): void }): (name: string) => string {
  const dir = mkdtempSync(join(tmpdir(), 'parley-transfer-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return name => join(dir, name);
}

/** Settings under which the log is read to its end at once. */
const QUICK = {
  directory: { domains: ['parley.example'] },
  im: { keyVisibleMs: 100, reconcileMarginMs: 0, cursorLagMs: 200 },
  archiving: { lingerMs: 0 },
};

/** A standalone installation that is stopped, with configuration, keys and empty collections. */
export async function installation(dataDir: string, clock?: Clock): Promise<CommandContext> {
  const config = `${dataDir}.config.yaml`;
  writeFileSync(config, JSON.stringify({ ...QUICK, dataDir, log: { level: 'error' } }));
  await init(
    { config, dataDir, administrator: false },
    { interactive: false, say() {}, ask: () => Promise.reject(new Error('asked')) },
  );
  const logger = createLogger({ level: 'silent', service: 'parley' });
  const context = { ...commandContext({ config, dataDir }, 'warn'), logger, ...(clock && { clock }) };
  await migrate(context);
  return context;
}

/** Puts documents into a collection by its name. */
export function put(context: CommandContext, collection: string, docs: readonly Doc[]): Promise<void> {
  return withTopology(context, async topology => {
    const one = transferables().find(({ spec }) => spec.name === collection);
    if (!one) throw new Error(`no collection ${collection}`);
    const results = await (await topology.store(one.service)).collection(one.spec).insertMany(docs);
    if (results.some(result => !result.inserted)) throw new Error(`${collection}: not inserted`);
  });
}

/** Everything in every collection, without revisions, by the name of the collection and id. */
export function contents(context: CommandContext): Promise<Readonly<Record<string, Readonly<Record<string, object>>>>> {
  return withTopology(context, async topology => {
    const all: Record<string, Record<string, object>> = {};
    for (const { service, spec } of transferables()) {
      const reader = await topology.bulkReader(service);
      const docs: Record<string, object> = {};
      for await (const portion of reader.read(spec)) for (const { _rev: _, ...doc } of portion) docs[doc._id] = doc;
      await reader.close();
      all[spec.name] = docs;
    }
    return all;
  });
}

/** Appends records that are no archive records: they are parked. */
export function append(context: CommandContext, records: number): Promise<void> {
  return withTopology(context, async topology => {
    await topology.eventLog.append(
      'archive',
      Array.from({ length: records }, (_, i) => ({ key: `d_${i}`, value: Buffer.from(`record ${i}`) })),
    );
  });
}
