import assert from 'node:assert/strict';
import { until } from '@parley/testkit';
import type { BackendHandle } from '../../../backends/src/index.ts';
import { quantile, type Sent } from '../../../e2e/traffic/ledger.ts';
import type { Traffic } from '../../../e2e/traffic/traffic.ts';
import type { Server } from '../pool.ts';
import { aside, EVERYTHING, type Fault, type Ground, replica, seconds, sleep } from './fault.ts';

type Way = 'killed' | 'hanging';

/** Takes a server away for a while, runs `meanwhile`, and brings it back. */
async function without(
  server: BackendHandle,
  way: Way,
  ms: number,
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  const began = performance.now();
  if (way === 'killed') await server.kill();
  else server.pause();
  await meanwhile();
  await sleep(Math.max(0, ms - (performance.now() - began)));
  if (way === 'killed') await server.restart();
  else server.resume();
}

const since = (traffic: Traffic, from: number, lane?: Sent['lane']): Sent[] =>
  traffic.sent.filter(m => m.sentMs >= from && (lane === undefined || m.lane === lane));

const natsDown = (way: Way, ms: number): Fault => ({
  name: `NATS ${way} for ${seconds(ms)}`,
  touches: EVERYTHING,
  async run({ pool, traffic }) {
    const from = performance.now();
    await without(pool.nats, way, ms, () =>
      until(
        'messages to be acknowledged without NATS',
        () => since(traffic, from + 500).filter(m => m.outcome === 'acknowledged').length >= 10,
      ),
    );
  },
});

/** What was sent so long after something broke was sent to something broken. */
const SURELY_MS = 250;

/** Critical mode is refused at once with its code; others go on, and their records arrive later. */
async function withoutLog(
  { pool, traffic, note }: Ground,
  down: () => Promise<void>,
  up: () => Promise<void>,
  ms: number,
) {
  const began = performance.now();
  await down();
  const downMs = performance.now() + SURELY_MS;
  const critical = () => since(traffic, downMs, 'critical');
  const refused = () => critical().filter(m => m.outcome === 'refused');
  await until('critical messages to be refused', () => refused().length >= 5, { timeoutMs: 20_000 });
  // the breaker is open: from now on nobody waits for the log
  const from = performance.now();
  await until('archived messages to be accepted without the log', () => {
    const some = since(traffic, from, 'archived').filter(m => m.outcome === 'acknowledged');
    return some.length >= 5;
  });
  await until('critical messages to be refused at once', () => {
    const quick = since(traffic, from, 'critical').filter(
      m => m.outcome === 'refused' && (m.settledMs ?? Infinity) - m.sentMs < 500,
    );
    return quick.length >= 3;
  });
  await sleep(Math.max(0, ms - (performance.now() - began)));
  const upMs = performance.now();
  const due = critical();
  await until('every critical message to have its refusal', () => due.every(m => m.outcome !== 'waiting'), {
    timeoutMs: 20_000,
  });
  // as long as the log is away, nothing critical is taken, and everybody is told why
  for (const { id, outcome, code } of due)
    if (outcome !== 'unknown') assert.deepEqual([outcome, code], ['refused', 'im.archive_unavailable'], id);
  const waits = due.map(({ settledMs = Infinity, sentMs }) => settledMs - sentMs);
  note(
    `log away for ${seconds(upMs - downMs)}: ${due.length} critical messages, none acknowledged, ` +
      `refused after ms p50 ${quantile(waits, 0.5)} p95 ${quantile(waits, 0.95)} max ${quantile(waits, 1)}`,
  );
  await up();
  const relayed = async () => (await pool.parley.metric('parley_im_archive_pending_messages')) === 0;
  await until('what was stored without the log to be relayed', relayed, { timeoutMs: 60_000, everyMs: 500 });
}

const kafkaDown = (way: Way, ms: number): Fault => ({
  name: `Kafka ${way} for ${seconds(ms)}`,
  touches: EVERYTHING,
  run: ground => {
    const { kafka } = ground.pool;
    const down = async () => (way === 'killed' ? kafka.kill() : kafka.pause());
    const up = async () => (way === 'killed' ? kafka.restart() : kafka.resume());
    return withoutLog(ground, down, up, ms);
  },
});

/** The disk of the log is full: Kafka gives up its directory and ends. Room is made, and it is started again. */
const logDiskFull: Fault = {
  name: 'the disk of the log is full',
  touches: EVERYTHING,
  run: ground => {
    const { kafka, logDisk } = ground.pool;
    const up = async () => {
      logDisk.free();
      await kafka.restart();
    };
    const down = async () => {
      logDisk.fill();
      await until('Kafka to give up', () => kafka.pids().length === 0, { timeoutMs: 45_000 });
    };
    return withoutLog(ground, down, up, 10_000);
  },
};

const databaseDown = (way: Way, ms: number): Fault => ({
  name: `the database ${way} for ${seconds(ms)}`,
  touches: ['mongo'],
  run: ({ pool }) => without(pool.mongo, way, ms),
});

type Cut = 'cut' | 'black hole' | 'slow';

/** The network between one process and a server. */
const linkDown = (service: string, server: Server, cut: Cut): Fault => ({
  name: `${cut === 'slow' ? 'slow network' : `network ${cut}`} between one ${service} and ${server === 'nats' ? 'NATS' : 'the database'}`,
  touches: [service, server],
  async run(ground) {
    const link = ground.pool.link(replica(ground, service), server);
    const down = () => {
      if (cut === 'cut') link.cut();
      else if (cut === 'slow') link.delay(300);
      else link.blackHole();
    };
    await aside(ground, service, 10_000, [down, () => link.heal()]);
  },
});

const CUTS: readonly Cut[] = ['cut', 'black hole', 'slow'];

export const SERVER_FAULTS: readonly Fault[] = [
  natsDown('killed', 10_000),
  natsDown('hanging', 10_000),
  kafkaDown('killed', 20_000),
  kafkaDown('hanging', 20_000),
  logDiskFull,
  databaseDown('killed', 15_000),
  databaseDown('hanging', 15_000),
  ...CUTS.flatMap(cut => [
    linkDown('im', 'nats', cut),
    linkDown('session', 'nats', cut),
    linkDown('presence', 'nats', cut),
    linkDown('im', 'mongo', cut),
    linkDown('presence', 'mongo', cut),
    linkDown('archiving', 'mongo', cut),
    linkDown('directory', 'mongo', cut),
  ]),
];
