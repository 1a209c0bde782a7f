/**
 * How long looks into the archive take: node services/archiving/src/testing/search.bench.ts [records] [days].
 * SQLite file, 4 partitions, 2,000 people. Prints the milliseconds of each look and how long it held up everything else.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type ArchiveQuerySchema,
  ExportFormat,
  ExportRequestSchema,
  SearchRequestSchema,
  ViewRequestSchema,
} from '@parley/contracts/archive/v1/archive';
import { ArchiveRecordKind, ArchiveRecordSchema } from '@parley/contracts/event/v1/archive_record';
import { ImEventKind, ImEventSchema } from '@parley/contracts/im/v1/im';
import { createSqliteEventLog } from '@parley/event-log';
import { type Channel, createCallContext, type PersonPrincipal } from '@parley/rpc';
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

const records = Number(process.argv[2] ?? 200_000);
const days = Number(process.argv[3] ?? 30);
const dir = mkdtempSync(join(tmpdir(), 'parley-search-bench-'));
const writer = openSqliteWriter({ path: join(dir, 'parley.db'), clock });
const store = createSqliteStore({ writer, database: 'archiving', clock });
const eventLog = createSqliteEventLog({ writer, clock });
await store.migrate(archivingCollections);
await eventLog.createTopics([{ name: 'archive', partitions: 4 }]);

const START = 1_767_225_600_000;
const people = Array.from({ length: 2_000 }, (_, i) => `person-${i}`);
const lexicon = Array.from({ length: 20_000 }, (_, i) => `w${i.toString(36)}`);
const word = () => lexicon[Math.floor(lexicon.length * ids.fraction() ** 4)] ?? '';

function recordOf(i: number) {
  const a = Math.floor(people.length * ids.fraction() ** 2);
  const pair = [
    people[a] as string,
    people[(a + 1 + Math.floor(ids.fraction() * 20)) % people.length] as string,
  ].sort();
  const [senderId] = pair as [string];
  const conversationId = `d_${pair.join('.')}`;
  const acceptedMs = BigInt(START + Math.floor((i * days * 86_400_000) / records));
  const recordId = `${senderId}.${ids.uuid()}`;
  const rare = i % 50_000 === 25_000 ? ` 稀有字詞${i}` : '';
  const text = Array.from({ length: 4 + Math.floor(ids.fraction() * 20) }, word).join(' ') + rare;
  const facts = { conversationId, senderId, recipientIds: pair, key: String(i).padStart(16, '0'), acceptedMs };
  const event = create(ImEventSchema, { ...facts, id: recordId, kind: ImEventKind.MESSAGE, content: { text } });
  const record = create(ArchiveRecordSchema, {
    ...{ ...facts, version: 1, recordId, kind: ArchiveRecordKind.IM_EVENT, contentHash: ids.bytes(32) },
    ...{ event: toBinary(ImEventSchema, event), decidedBy: 'global' },
    people: pair.map(id => ({ id, address: `${id}@north.example`, displayName: `Name of ${id}` })),
  });
  return { key: conversationId, value: toBinary(ArchiveRecordSchema, record) };
}
for (let i = 0; i < records; i += 2_000)
  await eventLog.append(
    'archive',
    Array.from({ length: 2_000 }, (_, n) => recordOf(i + n)),
    { deadlineMs: 10_000 },
  );

const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const directory = { unary: async () => ({ people: [] }) } as unknown as Channel;
const settings = { maxBatch: 1_000, trim: false, lingerMs: 0, indexMs: 50, indexDelayMs: 500 };
const archiving = createArchiving(archivingConfigSchema.parse(settings), {
  ...{ clock, ids, store, eventLog, version: '0', metrics: createMetrics({ defaults: false }) },
  channels: { directory },
  logger: createLogger({ level: 'warn', service: 'archiving' }),
  checkpointSigner: createCheckpointSigner(key),
  checkpointCopy: createCheckpointCopy(join(dir, 'copy')),
  auditCopy: createCheckpointCopy(join(dir, 'copy', 'audit')),
});
await archiving.start();
const epoch = await eventLog.epoch();
const chains = [0, 1, 2, 3].map(partition => chainId({ epoch, topic: 'archive', partition }));
const positions = store.collection(archiveIndexPositions);
for (let done = 0; done < records; ) {
  await new Promise(resolve => setTimeout(resolve, 200));
  done = (await positions.getMany(chains)).reduce((sum, position) => sum + position.next, 0);
}

type Handler = (request: unknown, context: unknown, sink?: unknown) => Promise<Record<string, unknown>>;
const call = (method: string) =>
  (archiving.services[1]?.impl as Readonly<Record<string, Handler>> | undefined)?.[method] as Handler;
const principal: PersonPrincipal = {
  ...{ id: 'o', signInId: 's', roles: [], tokenExpiresMs: 0, passwordChangeRequired: false },
  kind: 'person',
};
const context = createCallContext({ principal });
const purpose = { caseId: 'bench', reason: 'bench' };
const results: Record<string, { ms: number; longestTurnMs: number; found: number }> = {};

async function measure(name: string, work: () => Promise<number>): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  await new Promise(resolve => setTimeout(resolve, 20));
  delay.enable();
  const at = performance.now();
  const found = await work();
  const ms = Math.round(performance.now() - at);
  delay.disable();
  results[name] = { ms, longestTurnMs: Math.round(delay.max / 1e6), found };
  console.error(
    `${name.padEnd(40)} ${String(ms).padStart(6)} ms, longest turn ${Math.round(delay.max / 1e6)} ms, ${found}`,
  );
}
let last = '';
const search =
  (query: MessageInitShape<typeof ArchiveQuerySchema>, pages = 1) =>
  async () => {
    let [found, cursor] = [0, ''];
    for (let page = 0; page < pages; page++) {
      const answer = await call('search')(create(SearchRequestSchema, { purpose, query, limit: 50, cursor }), context);
      const items = answer['items'] as { recordId: string }[];
      last = items.at(-1)?.recordId ?? last;
      found += items.length;
      cursor = String(answer['nextCursor']);
      if (cursor === '') break;
    }
    return found;
  };
const exported = (query: MessageInitShape<typeof ArchiveQuerySchema>, format: ExportFormat) => async () => {
  let found = 0;
  const send = ({ event }: { event: { case: string; value: { records?: bigint } } }) => {
    if (event.case === 'result') found = Number(event.value.records);
  };
  const sink = { queuedBytes: 0, onDrain: () => undefined, send };
  await call('export')(create(ExportRequestSchema, { purpose, query, format }), context, sink);
  return found;
};
const middle = BigInt(START + (days / 2) * 86_400_000);
await measure('everything, first page', search({}));
await measure('a frequent word, first page', search({ words: 'w0' }));
await measure('a frequent word, 20 pages', search({ words: 'w0' }, 20));
await measure('two words, first page', search({ words: 'w1 w5a' }));
await measure('a rare word, all', search({ words: '稀有字' }, 100));
await measure('a word that is nowhere', search({ words: 'nowhere' }));
await measure('a person who talks a lot, first page', search({ people: ['person-1'] }));
await measure('a person who hardly talks, all', search({ people: ['person-1999'] }, 100));
await measure('a person and a word', search({ people: ['person-3'], words: 'w3' }));
await measure('a day in the middle, first page', search({ fromMs: middle, untilMs: middle + 86_400_000n }));
await measure('a record among its neighbours', async () => {
  const request = create(ViewRequestSchema, { purpose, recordId: last, before: 20, after: 20 });
  return ((await call('view')(request, context))['items'] as unknown[]).length;
});
await measure('export of a person, jsonl', exported({ people: ['person-1'] }, ExportFormat.JSONL));
await measure('export of a person, mail', exported({ people: ['person-1'] }, ExportFormat.EML));
await measure('export of a day, mail', exported({ fromMs: middle, untilMs: middle + 86_400_000n }, ExportFormat.EML));
await archiving.stop();
await eventLog.close();
await writer.close();
rmSync(dir, { recursive: true });
console.log(JSON.stringify({ records, days, ...results }));
