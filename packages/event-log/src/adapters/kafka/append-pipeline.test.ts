import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '@parley/testkit';
import { type AppendPipeline, createAppendPipeline } from './append-pipeline.ts';
import { type KafkaCluster, KafkaFailure, type PartitionMessages, type ProduceResult } from './cluster.ts';

interface Request {
  readonly node: number;
  readonly batches: readonly PartitionMessages[];
  answer(results: readonly ProduceResult[]): void;
  fail(err: Error): void;
}

/** A cluster of two brokers whose answers the test gives. Partition 0 and 2 lead to broker 1, partition 1 to broker 2. */
function setUp() {
  const clock = new ManualClock();
  const requests: Request[] = [];
  let leaders: number[] | undefined = [1, 2, 1];
  const cluster = {
    leaders: () => leaders,
    discover: async () => leaders ?? [],
    refresh: async () => {},
    produce: (node: number, _topic: string, batches: readonly PartitionMessages[]) =>
      new Promise<readonly ProduceResult[]>((answer, fail) => requests.push({ node, batches, answer, fail })),
  } as Partial<KafkaCluster> as KafkaCluster;
  const pipeline = createAppendPipeline({
    topic: 't',
    cluster,
    clock,
    lingerMs: 0,
    partitions: 3,
    partitionOf: key => Number(key[0]),
    onFailure: () => {},
  });
  const settle = () => clock.advance(0);
  return { clock, requests, pipeline, settle, lead: (next: number[] | undefined) => void (leaders = next) };
}

const append = (pipeline: AppendPipeline, keys: readonly string[], ms = 2000) =>
  pipeline.append(
    keys.map(key => ({ key, value: Buffer.from(key) })),
    ms,
  );
const keysOf = (request: Request | undefined) =>
  request?.batches.map(b => [b.partition, ...b.messages.map(m => m.key)].join());
const written = (partition: number, baseOffset: number): ProduceResult => ({ partition, error: undefined, baseOffset });
const refused = (partition: number, type: string): ProduceResult => ({
  partition,
  error: { type, message: type },
  baseOffset: -1,
});

describe('append pipeline', () => {
  it('puts the appends of one turn into one request per broker and tells every record its offset', async () => {
    const { pipeline, requests, settle } = setUp();
    const calls = [append(pipeline, ['0a', '1a', '0b']), append(pipeline, ['0c']), append(pipeline, ['2a'])];
    await settle();
    assert.deepEqual(requests.map(keysOf), [['0,0a,0b,0c', '2,2a'], ['1,1a']]);
    requests[0]?.answer([written(0, 10), written(2, 5)]);
    requests[1]?.answer([written(1, 7)]);
    assert.deepEqual(await Promise.all(calls), [
      [
        { partition: 0, offset: 10 },
        { partition: 1, offset: 7 },
        { partition: 0, offset: 11 },
      ],
      [{ partition: 0, offset: 12 }],
      [{ partition: 2, offset: 5 }],
    ]);
  });

  it('has one request under way to a broker; what comes meanwhile makes the next', async () => {
    const { pipeline, requests, settle } = setUp();
    const first = append(pipeline, ['0a']);
    await settle();
    const later = ['0b', '0c', '0d'].map(key => append(pipeline, [key]));
    await settle();
    assert.equal(requests.length, 1);
    requests[0]?.answer([written(0, 0)]);
    await first;
    await settle();
    assert.deepEqual(requests.slice(1).map(keysOf), [['0,0b,0c,0d']]);
    requests[1]?.answer([written(0, 1)]);
    await Promise.all(later);
  });

  it('sends again, in order, what was surely not written', async () => {
    const { pipeline, requests, settle, clock } = setUp();
    const first = append(pipeline, ['0a']);
    await settle();
    const second = append(pipeline, ['0b']);
    requests[0]?.answer([refused(0, 'NOT_LEADER_FOR_PARTITION')]);
    await clock.advance(100);
    assert.deepEqual(keysOf(requests[1]), ['0,0a,0b']);
    requests[1]?.fail(new KafkaFailure('KafkaJSConnectionError', 'not sent', { sent: false, retriable: true }));
    await clock.advance(200);
    assert.deepEqual(keysOf(requests[2]), ['0,0a,0b']);
    requests[2]?.answer([written(0, 0)]);
    assert.deepEqual(await Promise.all([first, second]), [
      [{ partition: 0, offset: 0 }],
      [{ partition: 0, offset: 1 }],
    ]);
  });

  it('lets one partition fail without the others', async () => {
    const { pipeline, requests, settle } = setUp();
    const good = append(pipeline, ['0a']);
    const bad = append(pipeline, ['2a']);
    await settle();
    requests[0]?.answer([written(0, 0), refused(2, 'MESSAGE_TOO_LARGE')]);
    await good;
    await assert.rejects(bad, { outcome: 'refused', code: 'too_large' });
  });

  it('says unknown when only a part of a call was written', async () => {
    const { pipeline, requests, settle } = setUp();
    const call = append(pipeline, ['0a', '2a']);
    await settle();
    requests[0]?.answer([written(0, 0), refused(2, 'TOPIC_AUTHORIZATION_FAILED')]);
    await assert.rejects(call, { outcome: 'unknown' });
  });

  it('says unknown when the answer leaves it open or never comes', async () => {
    const { pipeline, requests, settle } = setUp();
    const [timedOut, cut] = [append(pipeline, ['0a']), append(pipeline, ['1a'])];
    await settle();
    requests[0]?.answer([refused(0, 'REQUEST_TIMED_OUT')]);
    requests[1]?.fail(new KafkaFailure('KafkaJSConnectionClosedError', 'cut', { sent: true, retriable: true }));
    await assert.rejects(timedOut, { outcome: 'unknown', code: 'unavailable' });
    await assert.rejects(cut, { outcome: 'unknown', code: 'unavailable' });
  });

  it('says at the deadline: unknown of what was sent, refused of what waited, which is never sent', async () => {
    const { pipeline, requests, settle, clock } = setUp();
    const sent = assert.rejects(append(pipeline, ['0a'], 100), { outcome: 'unknown', code: 'deadline' });
    await settle();
    const waited = assert.rejects(append(pipeline, ['0b'], 100), { outcome: 'refused', code: 'deadline' });
    const patient = append(pipeline, ['0c'], 5000);
    await clock.advance(100);
    await Promise.all([sent, waited]);
    requests[0]?.answer([written(0, 0)]);
    await clock.advance(100);
    assert.deepEqual(keysOf(requests[1]), ['0,0c']);
    requests[1]?.answer([written(0, 1)]);
    assert.deepEqual(await patient, [{ partition: 0, offset: 1 }]);
  });

  it('waits for a leader while there is none', async () => {
    const { pipeline, requests, clock, lead } = setUp();
    lead([-1, 2, 1]);
    const call = append(pipeline, ['0a']);
    await clock.advance(1000);
    assert.equal(requests.length, 0);
    lead([2, 2, 1]);
    await clock.advance(600);
    assert.equal(requests[0]?.node, 2);
    requests[0]?.answer([written(0, 0)]);
    await call;
  });

  it('refuses what would make the queue larger than 64 MiB', async () => {
    const { pipeline, settle } = setUp();
    const value = Buffer.alloc(1024 * 1024);
    const big = () =>
      pipeline.append(
        Array.from({ length: 16 }, () => ({ key: '0', value })),
        1000,
      );
    const kept = [big(), big(), big()];
    await settle();
    await assert.rejects(big(), { outcome: 'refused', code: 'unavailable' });
    for (const call of kept) call.catch(() => {});
  });

  it('refuses what waits when it is closed, and waits for what is under way', async () => {
    const { pipeline, requests, settle } = setUp();
    const sent = append(pipeline, ['0a']);
    await settle();
    const waiting = assert.rejects(append(pipeline, ['0b']), { outcome: 'refused', code: 'closed' });
    let closed = false;
    const closing = pipeline.close().then(() => void (closed = true));
    await waiting;
    await settle();
    assert.equal(closed, false);
    requests[0]?.answer([written(0, 0)]);
    await Promise.all([sent, closing]);
    await assert.rejects(append(pipeline, ['0c']), { outcome: 'refused', code: 'closed' });
  });
});
