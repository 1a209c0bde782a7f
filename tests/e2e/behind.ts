import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArchiveService } from '@parley/contracts/archive/v1/archive';
import { connectKafkaEventLog, createSqliteEventLog, type EventLog } from '@parley/event-log';
import { systemClock as clock } from '@parley/runtime';
import { connectMongoStore, createSqliteStore, openSqliteWriter, type Store } from '@parley/store';
import { type ParleyUnderTest, routed } from '@parley/testkit';

/** What stands behind the product, as somebody sees it who has every credential. */
export interface Behind {
  readonly log: EventLog;
  /** Archiving's own database. */
  readonly store: Store;
}

interface PoolConfig {
  readonly mongo: { readonly url: string; readonly databasePrefix: string };
  readonly kafka: { readonly brokers: readonly string[]; readonly topicPrefix: string };
}

/** Stops what archives, does `work` with the log and the database it uses, and starts it again. */
export async function behindArchiving(parley: ParleyUnderTest, work: (behind: Behind) => Promise<void>): Promise<void> {
  const archiving = parley.replicasOf('archiving');
  await Promise.all(archiving.map(p => p.stop()));
  const { close, ...behind } = await open(parley);
  try {
    await work(behind);
  } finally {
    await close();
  }
  await Promise.all(archiving.map(p => p.start()));
  if (parley.balancer) await routed(parley.url, `${ArchiveService.typeName}/GetStatus`);
}

async function open(parley: ParleyUnderTest): Promise<Behind & { close(): Promise<void> }> {
  if (parley.topology === 'standalone') {
    const file = openSqliteWriter({ path: join(parley.dir, 'parley.sqlite'), clock });
    const log = createSqliteEventLog({ writer: file, clock });
    const store = createSqliteStore({ writer: file, database: 'archiving', clock });
    return { log, store, close: () => closeAll(log, store, file) };
  }
  const config = JSON.parse(readFileSync(join(parley.dir, 'parley.yaml'), 'utf8')) as { readonly pool: PoolConfig };
  const { mongo, kafka } = config.pool;
  const log = await connectKafkaEventLog({ ...kafka, clientId: 'test', clock });
  const store = await connectMongoStore({ url: mongo.url, database: `${mongo.databasePrefix}archiving`, clock });
  return { log, store, close: () => closeAll(log, store) };
}

async function closeAll(...opened: readonly { close(): Promise<void> }[]): Promise<void> {
  for (const one of opened) await one.close();
}
