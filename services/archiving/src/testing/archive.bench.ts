/**
 * CPU of archiving a record: node services/archiving/src/testing/archive.bench.ts [records] [batch].
 * SQLite file, 4 partitions; the records are in the log before the clock starts. Then the whole archive is verified.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { VerifyRequestSchema } from '@parley/contracts/archive/v1/archive';
import { ArchiveRecordKind, ArchiveRecordSchema } from '@parley/contracts/event/v1/archive_record';
import { createSqliteEventLog } from '@parley/event-log';
import { type Channel, createCallContext } from '@parley/rpc';
import { systemClock as clock, createLogger, createMetrics, systemIds as ids } from '@parley/runtime';
import { createSqliteStore, openSqliteWriter } from '@parley/store';
import {
  archivingCollections,
  archivingConfigSchema,
  createArchiving,
  createCheckpointCopy,
  createCheckpointSigner,
} from '../index.ts';

const records = Number(process.argv[2] ?? 40_000);
const maxBatch = Number(process.argv[3] ?? 2_000);
const dir = mkdtempSync(join(tmpdir(), 'parley-archive-bench-'));
const writer = openSqliteWriter({ path: join(dir, 'parley.db'), clock });
const store = createSqliteStore({ writer, database: 'archiving', clock });
const eventLog = createSqliteEventLog({ writer, clock });
await store.migrate(archivingCollections);
await eventLog.createTopics([{ name: 'archive', partitions: 4 }]);

const people = Array.from({ length: 20_000 }, () => ids.opaque());
function recordOf(i: number) {
  const senderId = people[(i * 7919) % people.length] as string;
  const recipientIds = [senderId, people[(i * 7919 + 1) % people.length] as string].sort();
  const conversationId = `d_${(recipientIds[0] as string).slice(0, 12)}${(recipientIds[1] as string).slice(0, 12)}`;
  const value = toBinary(
    ArchiveRecordSchema,
    create(ArchiveRecordSchema, {
      ...{
        version: 1,
        recordId: `${senderId}.${ids.uuid()}`,
        kind: ArchiveRecordKind.IM_EVENT,
        conversationId,
        senderId,
      },
      ...{
        recipientIds,
        key: '0000000000000abcde',
        acceptedMs: BigInt(1_767_600_000_000 + i),
        contentHash: ids.bytes(32),
      },
      ...{ event: Buffer.alloc(280, 'x'), decidedBy: 'global' },
      people: recipientIds.map(id => ({ id, address: `${id}@north.example`, displayName: `Name of ${id}` })),
    }),
  );
  return { key: conversationId, value };
}
for (let i = 0; i < records; i += 2_000)
  await eventLog.append(
    'archive',
    Array.from({ length: 2_000 }, (_, n) => recordOf(i + n)),
    { deadlineMs: 10_000 },
  );

const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const archiving = createArchiving(archivingConfigSchema.parse({ maxBatch, trim: false, lingerMs: 0 }), {
  ...{ clock, store, eventLog, metrics: createMetrics({ defaults: false }), channels: { directory: {} as Channel } },
  logger: createLogger({ level: 'warn', service: 'archiving' }),
  checkpointSigner: createCheckpointSigner(key),
  checkpointCopy: createCheckpointCopy(join(dir, 'copy')),
});
const usage = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
const before = usage();
const at = performance.now();
await archiving.start();
const keepAlive = setInterval(() => undefined, 1_000);
const done = async () => [...(await eventLog.committed('archive', 'archiving')).values()].reduce((a, b) => a + b, 0);
while ((await done()) < records) await new Promise(resolve => setTimeout(resolve, 2));
const perRecord = (usage() - before) / records;
console.error(`${records} records, ${perRecord.toFixed(1)} us CPU a record, ${Math.round(performance.now() - at)} ms`);

const verifyBefore = usage();
const sink = { send: () => undefined, queuedBytes: 0, onDrain: () => undefined };
const verify = archiving.services[0]?.impl['verify'] as (...args: unknown[]) => Promise<void>;
const principal = {
  kind: 'person',
  id: 'o',
  signInId: 's',
  roles: [],
  tokenExpiresMs: 0,
  passwordChangeRequired: false,
} as const;
await verify(create(VerifyRequestSchema), createCallContext({ principal }), sink);
const perVerified = (usage() - verifyBefore) / records;
console.error(`verified at ${perVerified.toFixed(1)} us CPU a record`);
clearInterval(keepAlive);
await archiving.stop();
await eventLog.close();
await writer.close();
rmSync(dir, { recursive: true });
console.log(
  JSON.stringify({
    records,
    maxBatch,
    cpuUsPerRecord: Number(perRecord.toFixed(1)),
    cpuUsPerVerified: Number(perVerified.toFixed(1)),
  }),
);
