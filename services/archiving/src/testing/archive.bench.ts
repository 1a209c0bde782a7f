/**
 * CPU of archiving a record: node services/archiving/src/testing/archive.bench.ts [records] [batch] [off|later|beside].
 * SQLite file, 4 partitions; the records are in the log before the clock starts. The index of contents is left out, made
 * after everything was archived (from what is stored), or made beside. Then the whole archive is verified.
 */

import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { Role } from '@parley/contracts';
import { VerifyRequestSchema } from '@parley/contracts/archive/v1/archive';
import { ArchiveRecordKind, ArchiveRecordSchema } from '@parley/contracts/event/v1/archive_record';
import { ImEventKind, ImEventSchema } from '@parley/contracts/im/v1/im';
import { createSqliteEventLog } from '@parley/event-log';
import { type Channel, createCallContext } from '@parley/rpc';
import { systemClock as clock, createLogger, createMetrics, systemIds as ids } from '@parley/runtime';
import { createSqliteStore, openSqliteWriter } from '@parley/store';
import { archiveIndexPositions } from '../collections.ts';
import { chainId } from '../domain/place.ts';
import {
  archivingCollections,
  archivingConfigSchema,
  createArchiving,
  createCheckpointCopy,
  createCheckpointSigner,
} from '../index.ts';

const records = Number(process.argv[2] ?? 40_000);
const maxBatch = Number(process.argv[3] ?? 2_000);
const mode = process.argv[4] ?? 'beside';
const dir = mkdtempSync(join(tmpdir(), 'parley-archive-bench-'));
const writer = openSqliteWriter({ path: join(dir, 'parley.db'), clock });
const store = createSqliteStore({ writer, database: 'archiving', clock });
const eventLog = createSqliteEventLog({ writer, clock });
await store.migrate(archivingCollections);
await eventLog.createTopics([{ name: 'archive', partitions: 4 }]);

const people = Array.from({ length: 2_000 }, () => ids.opaque());
const lexicon = Array.from({ length: 20_000 }, () =>
  ids
    .opaque()
    .replace(/[^a-z]/gi, '')
    .toLowerCase()
    .slice(0, 7),
);
/** A word as often as words are: the first ones all the time, most of them hardly ever. */
const word = () => lexicon[Math.floor(lexicon.length * ids.fraction() ** 4)] ?? '';
const textOf = () => Array.from({ length: 4 + Math.floor(ids.fraction() * 20) }, word).join(' ');

function recordOf(i: number) {
  const senderId = people[(i * 7919) % people.length] as string;
  const recipientIds = [senderId, people[(i * 7919 + 1) % people.length] as string].sort();
  const conversationId = `d_${(recipientIds[0] as string).slice(0, 12)}${(recipientIds[1] as string).slice(0, 12)}`;
  const recordId = `${senderId}.${ids.uuid()}`;
  const acceptedMs = BigInt(1_767_600_000_000 + i * 4);
  const event = create(ImEventSchema, {
    ...{ id: recordId, kind: ImEventKind.MESSAGE, conversationId, senderId, recipientIds, acceptedMs },
    content: { text: textOf() },
  });
  const value = toBinary(
    ArchiveRecordSchema,
    create(ArchiveRecordSchema, {
      ...{
        version: 1,
        recordId,
        kind: ArchiveRecordKind.IM_EVENT,
        conversationId,
        senderId,
      },
      ...{
        recipientIds,
        key: '0000000000000abcde',
        acceptedMs,
        contentHash: ids.bytes(32),
      },
      ...{ event: toBinary(ImEventSchema, event), decidedBy: 'global' },
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
const directory = {
  unary: async () => ({ principals: [{ id: 'o', enabled: true, roles: [Role.COMPLIANCE_OFFICER] }] }),
} as unknown as Channel;
const make = (more: Record<string, number>) =>
  createArchiving(archivingConfigSchema.parse({ maxBatch, trim: false, lingerMs: 0, ...more }), {
    ...{ clock, ids, store, eventLog, version: '0', metrics, channels: { directory } },
    logger: createLogger({ level: 'warn', service: 'archiving' }),
    checkpointSigner: createCheckpointSigner(key),
    checkpointCopy: createCheckpointCopy(join(dir, 'copy')),
    auditCopy: createCheckpointCopy(join(dir, 'copy', 'audit')),
  });
const metrics = createMetrics({ defaults: false });
let archiving = make(mode === 'beside' ? { indexMs: 250, indexDelayMs: 500 } : { indexMs: 60_000 });
const usage = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
const until = async (condition: () => Promise<boolean>) => {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 50));
};
const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);
const archived = async () => sum((await eventLog.committed('archive', 'archiving')).values()) >= records;
const positions = store.collection(archiveIndexPositions);
const epoch = await eventLog.epoch();
const chains = [0, 1, 2, 3].map(partition => chainId({ epoch, topic: 'archive', partition }));
const indexed = async () => sum((await positions.getMany(chains)).map(position => position.next)) >= records;

let before = usage();
const at = performance.now();
await archiving.start();
const keepAlive = setInterval(() => undefined, 1_000);
await until(archived);
if (mode === 'beside') await until(indexed);
const perRecord = (usage() - before) / records;
console.error(`${records} records, ${perRecord.toFixed(1)} us CPU a record, ${Math.round(performance.now() - at)} ms`);
let perIndexed = 0;
if (mode === 'later') {
  await archiving.stop();
  archiving = make({ indexMs: 10, indexDelayMs: 0 });
  before = usage();
  await archiving.start();
  await until(indexed);
  perIndexed = (usage() - before) / records;
  console.error(`indexed from what was stored at ${perIndexed.toFixed(1)} us CPU a record`);
}

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
    mode,
    cpuUsPerIndexed: Number(perIndexed.toFixed(1)),
    cpuUsPerRecord: Number(perRecord.toFixed(1)),
    cpuUsPerVerified: Number(perVerified.toFixed(1)),
  }),
);
