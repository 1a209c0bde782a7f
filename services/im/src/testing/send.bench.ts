/**
 * CPU of an archived send without a network: node services/im/src/testing/send.bench.ts [seconds] [critical|archived|none] [people].
 * 100 senders at once, SQLite file, store, log and bus; no archiving behind the log.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { createMemoryBus } from '@parley/bus';
import { MessageContentSchema, SendMessageRequestSchema } from '@parley/contracts/im/v1/im';
import { createSqliteEventLog } from '@parley/event-log';
import { createCallContext } from '@parley/rpc';
import { systemClock as clock, createHealth, createLogger, createMetrics, systemIds as ids } from '@parley/runtime';
import { createSqliteStore, openSqliteWriter } from '@parley/store';
import { createIm, imCollections, imConfigSchema, imTopics } from '../index.ts';
import { FakeDirectory } from './fake-directory.ts';

type Handler = (request: unknown, context: unknown) => Promise<unknown>;
const seconds = Number(process.argv[2] ?? 3);
const lane = (process.argv[3] ?? 'archived') as 'archived';
const PEOPLE = Number(process.argv[4] ?? 20_000);
const SENDERS = 100;

const dir = mkdtempSync(join(tmpdir(), 'parley-im-bench-'));
const writer = openSqliteWriter({ path: join(dir, 'parley.db'), clock });
const store = createSqliteStore({ writer, database: 'im', clock });
const eventLog = createSqliteEventLog({ writer, clock });
const bus = createMemoryBus({ clock });
const directory = new FakeDirectory();
const personIds = Array.from({ length: PEOPLE }, () => ids.opaque());
for (const id of personIds) directory.add(id, lane);
await store.migrate(imCollections);
await eventLog.createTopics(imTopics);
let hints = 0;
const started = writer.commits;
bus.subscribe('im.*', () => void hints++);

const config = imConfigSchema.parse({ sendRatePerSecond: 10_000, sendBurst: 100_000, maxArchiveLagRecords: 1e9 });
const logger = createLogger({ level: 'warn', service: 'im' });
const metrics = createMetrics({ defaults: false });
const deps = { clock, ids, logger, metrics, health: createHealth(), store, bus, eventLog };
const im = createIm(config, { ...deps, channels: { directory: directory.channel } });
await im.start();
const send = im.services[0]?.impl['sendMessage'] as Handler;
const contexts = personIds.map(id =>
  createCallContext({
    principal: { kind: 'person', id, signInId: 's', roles: [], tokenExpiresMs: 0, passwordChangeRequired: false },
  }),
);
const text = 'The quick brown fox jumps over the lazy dog; 敏捷的棕色狐狸跳過懶狗。';

let sent = 0;
let stop = false;
async function sender(n: number): Promise<void> {
  for (let i = 0; !stop; i++) {
    const from = (n * 211 + i * 37) % PEOPLE;
    const recipientId = personIds[(from + 1 + (i % 2)) % PEOPLE] as string;
    const content = create(MessageContentSchema, { text });
    await send(create(SendMessageRequestSchema, { messageId: ids.uuid(), recipientId, content }), contexts[from]);
    sent++;
  }
}

async function measure(ms: number): Promise<{ sent: number; us: number; ms: number }> {
  stop = false;
  sent = 0;
  const cpu = process.cpuUsage();
  const at = performance.now();
  const timer = setTimeout(() => (stop = true), ms);
  await Promise.all(Array.from({ length: SENDERS }, (_, n) => sender(n)));
  clearTimeout(timer);
  const used = process.cpuUsage(cpu);
  return { sent, us: used.user + used.system, ms: performance.now() - at };
}

await measure(1_500);
const run = await measure(seconds * 1_000);
const perSend = run.us / run.sent;
console.error(
  `${lane}: ${run.sent} sends, ${perSend.toFixed(1)} us CPU a send, ${Math.round((run.sent / run.ms) * 1000)}/s, ${writer.commits - started} commits`,
);
await im.stop();
await eventLog.close();
await writer.close();
rmSync(dir, { recursive: true });
console.log(JSON.stringify({ lane, sends: run.sent, cpuUsPerSend: Number(perSend.toFixed(1)) }));
