import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AppendError, EventLogError } from '../errors.ts';
import type { AppendRecord, EventLog, LogBatch, LogRecord } from '../event-log.ts';
import { MAX_VALUE_BYTES } from '../limits.ts';

/** What the suite needs of an adapter. Back-offs must be short. */
export interface EventLogFixture {
  readonly log: EventLog;
  /** A name of a topic that nobody used before. */
  topic(): string;
  /** Another connection to the same log, as another process would have it; closed with the fixture. */
  another(): Promise<EventLog>;
  /** Makes appends hang until the returned function is called; where the adapter cannot, those tests are left out. */
  readonly stall?: (log: EventLog) => Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** What every event log keeps. `open` is called for each test. */
export function eventLogContract(name: string, open: () => Promise<EventLogFixture>, canStall: boolean): void {
  const check = (title: string, body: (fixture: EventLogFixture) => Promise<void>) =>
    it(title, { timeout: 60_000 }, async () => {
      const fixture = await open();
      try {
        await body(fixture);
      } finally {
        await fixture.close();
      }
    });

  describe(`${name}: event log contract`, () => {
    check('topics are created once; what is there is not changed', async ({ log, topic }) => {
      const [a, b] = [topic(), topic()];
      await log.createTopics([{ name: a, partitions: 3 }]);
      await log.append(a, [record('k', 'v')]);
      await log.createTopics([
        { name: a, partitions: 7 },
        { name: b, partitions: 1 },
      ]);
      assert.equal((await log.ends(a)).length, 3);
      assert.equal(sum((await log.ends(a)).map(e => e.high)), 1);
      assert.deepEqual(await log.ends(b), [{ partition: 0, low: 0, high: 0 }]);
    });

    check(
      'offsets are contiguous from 0 in each partition and told in the order of the records',
      async ({ log, topic }) => {
        const t = await made(log, topic(), 3);
        const keys = Array.from({ length: 60 }, (_, i) => `key-${i % 7}`);
        const positions = await log.append(
          t,
          keys.map((key, i) => record(key, `${i}`)),
        );
        assert.equal(positions.length, 60);
        const ends = await log.ends(t);
        assert.equal(sum(ends.map(e => e.high)), 60);
        for (const { partition, high } of ends) {
          const records = high === 0 ? [] : await log.read(t, partition, 0, 100);
          assert.deepEqual(
            records.map(r => r.offset),
            Array.from({ length: high }, (_, i) => i),
          );
          for (const r of records) {
            const i = Number(text(r));
            assert.equal(r.key, keys[i]);
            assert.deepEqual(positions[i], { partition, offset: r.offset });
          }
        }
      },
    );

    check(
      'records of one key share a partition and keep their order, whoever appends at once',
      async ({ log, topic }) => {
        const t = await made(log, topic(), 4);
        const calls = Array.from({ length: 200 }, (_, i) => log.append(t, [record(`k${i % 5}`, `${i}`)]));
        const positions = (await Promise.all(calls)).map(p => p[0]);
        assert.equal(new Set(positions.map(p => `${p?.partition}/${p?.offset}`)).size, 200);
        for (let k = 0; k < 5; k++) {
          const own = positions.filter((_, i) => i % 5 === k);
          assert.equal(new Set(own.map(p => p?.partition)).size, 1);
          const offsets = own.map(p => p?.offset ?? -1);
          assert.deepEqual(
            offsets,
            [...offsets].sort((a, b) => a - b),
          );
        }
      },
    );

    check('keys, headers and any bytes come back as they went in', async ({ log, topic }) => {
      const t = await made(log, topic(), 1);
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      const before = Date.now();
      await log.append(t, [
        { key: '鍵 🔑 "\\\'', value: all, headers: { traceparent: '00-ab', 標: '頭 🙂', empty: '' } },
        { key: 'x', value: new Uint8Array() },
      ]);
      const [first, second] = await log.read(t, 0, 0, 10);
      assert.equal(first?.key, '鍵 🔑 "\\\'');
      assert.ok(first.value instanceof Uint8Array && Buffer.from(first.value).equals(all));
      assert.deepEqual({ ...first.headers }, { traceparent: '00-ab', 標: '頭 🙂', empty: '' });
      assert.ok(Math.abs(first.timestampMs - before) < 60_000);
      assert.equal(second?.value.byteLength, 0);
      assert.deepEqual({ ...second.headers }, {});
    });

    check(
      'values up to 1 MiB are taken, several at once too; more is refused and nothing of it stored',
      async ({ log, topic }) => {
        const t = await made(log, topic(), 1);
        const big = new Uint8Array(MAX_VALUE_BYTES).map((_, i) => i * 7);
        await log.append(t, [record('k', big), record('k', big), record('k', big)], { deadlineMs: 20_000 });
        const [back] = await log.read(t, 0, 2, 1);
        assert.ok(back !== undefined && Buffer.from(back.value).equals(big));
        const over = [record('k', 'small'), record('k', new Uint8Array(MAX_VALUE_BYTES + 1))];
        await assert.rejects(log.append(t, over), refusal('refused', 'too_large'));
        assert.equal((await log.ends(t))[0]?.high, 3);
      },
    );

    check('what cannot be appended is refused whole', async ({ log, topic }) => {
      const t = await made(log, topic(), 1);
      const bad: AppendRecord[] = [
        record('', 'v'),
        record('k'.repeat(257), 'v'),
        record('鍵'.repeat(86), 'v'),
        record('\ud800', 'v'),
        { ...record('k', 'v'), headers: { '': 'x' } },
        { ...record('k', 'v'), headers: { a: 'x'.repeat(4097) } },
      ];
      for (const r of bad) {
        await assert.rejects(log.append(t, [record('k', 'fine'), r]), refusal('refused', 'invalid'), r.key);
      }
      const manyHeaders = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`h${i}`, 'x']));
      await assert.rejects(
        log.append(t, [{ ...record('k', 'v'), headers: manyHeaders }]),
        refusal('refused', 'too_large'),
      );
      const tooMany = Array.from({ length: 10_001 }, () => record('k', 'v'));
      await assert.rejects(log.append(t, tooMany), refusal('refused', 'too_large'));
      await assert.rejects(log.append(t, [record('k', 'v')], { deadlineMs: 0 }), refusal('refused', 'invalid'));
      assert.deepEqual(await log.append(t, []), []);
      assert.equal((await log.ends(t))[0]?.high, 0);
      await log.append(t, [record('k'.repeat(256), 'v'), record('鍵'.repeat(85), 'v')]);
    });

    check('an unknown topic is refused by every call', async ({ log, topic }) => {
      const t = topic();
      await assert.rejects(log.append(t, [record('k', 'v')]), refusal('refused', 'unknown_topic'));
      for (const call of [
        () => log.consume(t, 'g', async () => {}),
        () => log.ends(t),
        () => log.read(t, 0, 0, 1),
        () => log.trim(t, 0, 0),
        () => log.committed(t, 'g'),
      ]) {
        await assert.rejects(call(), { code: 'unknown_topic' });
      }
      await made(log, t, 1);
      await assert.rejects(log.read(t, 1, 0, 1), { code: 'unknown_partition' });
      await assert.rejects(log.trim(t, 1, 0), { code: 'unknown_partition' });
      await log.append(t, [record('k', 'v')]);
    });

    check(
      'a consumer gets everything in contiguous batches of one partition, no larger than asked',
      async ({ log, topic }) => {
        const t = await made(log, topic(), 2);
        await log.append(t, many(50));
        const sink = collector();
        await log.consume(t, 'g', sink.handler, { maxBatch: 10 });
        await sink.count(50);
        await log.append(t, many(20, 50));
        await sink.count(70);
        const next = new Map<number, number>();
        for (const { topic: of, partition, records, high } of sink.batches) {
          assert.equal(of, t);
          assert.ok(records.length >= 1 && records.length <= 10);
          for (const r of records) {
            assert.equal(r.partition, partition);
            assert.equal(r.offset, next.get(partition) ?? 0);
            next.set(partition, r.offset + 1);
          }
          assert.ok(high > (records.at(-1)?.offset ?? 0));
        }
        assert.deepEqual(
          sink.values().sort(byNumber),
          many(70).map(r => text(r)),
        );
      },
    );

    check('a record is delivered soon after it is appended', async ({ log, topic }) => {
      const t = await made(log, topic(), 1);
      const sink = collector();
      await log.consume(t, 'g', sink.handler);
      await log.append(t, [record('k', 'first')]);
      await sink.count(1);
      const waits: number[] = [];
      for (let i = 0; i < 20; i++) {
        const started = performance.now();
        await log.append(t, [record('k', `${i}`)]);
        await sink.count(i + 2);
        waits.push(performance.now() - started);
      }
      waits.sort((a, b) => a - b);
      assert.ok((waits[10] ?? Infinity) < 250, `half of them took more than ${waits[10]} ms`);
    });

    check('a batch whose handler fails comes again, and what follows waits for it', async ({ log, topic }) => {
      const t = await made(log, topic(), 1);
      await log.append(t, many(10));
      const sink = collector();
      let failures = 3;
      await log.consume(
        t,
        'g',
        async batch => {
          if (batch.records.some(r => text(r) === '4') && failures-- > 0) throw new Error('on purpose');
          await sink.handler(batch);
        },
        { maxBatch: 3 },
      );
      await sink.count(10);
      assert.deepEqual(
        sink.values(),
        many(10).map(r => text(r)),
      );
      assert.equal(failures, -1);
    });

    check('a failing partition does not hold up another', async ({ log, topic }) => {
      const t = await made(log, topic(), 2);
      const [a, b] = await keysFor(log, t, 2);
      const sink = collector();
      let healed = false;
      await log.consume(t, 'g', async batch => {
        if (!healed && batch.partition === a.partition && batch.records.some(r => text(r) === 'bad')) {
          throw new Error('on purpose');
        }
        await sink.handler(batch);
      });
      await sink.count(2);
      await log.append(t, [record(a.key, 'bad')]);
      for (let i = 0; i < 5; i++) {
        await log.append(t, [record(b.key, `good-${i}`)]);
        await sink.count(3 + i);
      }
      assert.ok(!sink.values().includes('bad'));
      healed = true;
      await sink.count(8);
      assert.ok(sink.values().includes('bad'));
    });

    check('a group resumes at what it committed, on another connection too', async ({ log, topic, another }) => {
      const t = await made(log, topic(), 1);
      await log.append(t, many(10));
      const first = collector();
      const consumer = await log.consume(t, 'g', first.handler);
      await first.count(10);
      await consumer.stop();
      assert.deepEqual([...(await log.committed(t, 'g'))], [[0, 10]]);
      await log.append(t, many(5, 10));
      const second = collector();
      const other = await another();
      await other.consume(t, 'g', second.handler);
      await second.count(5);
      assert.deepEqual(second.values(), ['10', '11', '12', '13', '14']);
    });

    check(
      'stop waits for the handler under way, commits its batch and delivers nothing more',
      async ({ log, topic }) => {
        const t = await made(log, topic(), 1);
        await log.append(t, many(4));
        const entered = Promise.withResolvers<void>();
        const gate = Promise.withResolvers<void>();
        let calls = 0;
        const consumer = await log.consume(
          t,
          'g',
          async () => {
            calls++;
            entered.resolve();
            await gate.promise;
          },
          { maxBatch: 2 },
        );
        await entered.promise;
        let stopped = false;
        const stopping = consumer.stop().then(() => void (stopped = true));
        await new Promise(resolve => setImmediate(resolve));
        assert.equal(stopped, false);
        gate.resolve();
        await stopping;
        assert.equal(calls, 1);
        assert.deepEqual([...(await log.committed(t, 'g'))], [[0, 2]]);
        await consumer.stop();
      },
    );

    check(
      'consumers of one group share the partitions, and one that leaves hands its own over',
      async ({ log, topic }) => {
        const t = await made(log, topic(), 4);
        const keys = await keysFor(log, t, 4);
        const busy = new Set<number>();
        const by: Record<string, Set<number>> = { a: new Set(), b: new Set() };
        const all = collector();
        const member = (name: 'a' | 'b') => async (batch: LogBatch) => {
          assert.ok(!busy.has(batch.partition), 'one consumer at a time');
          busy.add(batch.partition);
          by[name]?.add(batch.partition);
          await new Promise(resolve => setImmediate(resolve));
          busy.delete(batch.partition);
          await all.handler(batch);
        };
        const a = await log.consume(t, 'g', member('a'));
        await log.consume(t, 'g', member('b'));
        await all.count(4);
        let appended = 4;
        const round = async () => {
          await log.append(
            t,
            keys.map(({ key }) => record(key, 'x')),
          );
          appended += 4;
          await all.count(appended);
        };
        // Until the partitions are shared: a rebalance takes its time.
        for (let i = 0; i < 100 && !(by['a']?.size === 2 && by['b']?.size === 2); i++) {
          by['a']?.clear();
          by['b']?.clear();
          await round();
        }
        assert.equal(by['a']?.size, 2);
        assert.equal(by['b']?.size, 2);
        await a.stop();
        by['b']?.clear();
        await round();
        assert.equal(by['b']?.size, 4);
      },
    );

    check('every group gets everything', async ({ log, topic }) => {
      const t = await made(log, topic(), 2);
      const [one, two] = [collector(), collector()];
      await log.consume(t, 'one', one.handler);
      await log.append(t, many(10));
      await log.consume(t, 'two', two.handler);
      await Promise.all([one.count(10), two.count(10)]);
    });

    check('a new group may begin at the end', async ({ log, topic }) => {
      const t = await made(log, topic(), 1);
      await log.append(t, many(5));
      const sink = collector();
      await log.consume(t, 'g', sink.handler, { from: 'latest' });
      await log.append(t, many(2, 5));
      await sink.count(2);
      assert.deepEqual(sink.values(), ['5', '6']);
    });

    check('a group that began at the end misses nothing that came while it was away', async ({ log, topic }) => {
      const t = await made(log, topic(), 1);
      await log.append(t, many(3));
      const idle = await log.consume(t, 'g', async () => {}, { from: 'latest' });
      await idle.stop();
      await log.append(t, many(2, 3));
      const sink = collector();
      await log.consume(t, 'g', sink.handler, { from: 'latest' });
      await sink.count(2);
      assert.deepEqual(sink.values(), ['3', '4']);
    });

    check('read gives a part again without any group', async ({ log, topic }) => {
      const t = await made(log, topic(), 1);
      await log.append(t, many(30));
      const part = async (from: number, limit: number) => (await log.read(t, 0, from, limit)).map(r => r.offset);
      assert.deepEqual(await part(0, 3), [0, 1, 2]);
      assert.deepEqual(await part(28, 10), [28, 29]);
      assert.deepEqual(await part(30, 10), []);
      assert.deepEqual(await part(99, 10), []);
      assert.equal((await part(0, 1000)).length, 30);
      const both = await Promise.all([part(5, 2), part(20, 2)]);
      assert.deepEqual(both, [
        [5, 6],
        [20, 21],
      ]);
      for (const [from, limit] of [
        [-1, 1],
        [0.5, 1],
        [0, 0],
        [0, 10_001],
        [2 ** 53, 1],
      ] as const) {
        await assert.rejects(log.read(t, 0, from, limit), { code: 'invalid' });
      }
    });

    check('trim removes what lies below, moves low and nothing else', async ({ log, topic }) => {
      const t = await made(log, topic(), 1);
      await log.append(t, many(10));
      await log.trim(t, 0, 4);
      assert.deepEqual(await log.ends(t), [{ partition: 0, low: 4, high: 10 }]);
      assert.deepEqual(
        (await log.read(t, 0, 0, 3)).map(r => r.offset),
        [4, 5, 6],
      );
      await log.trim(t, 0, 2);
      assert.deepEqual(await log.ends(t), [{ partition: 0, low: 4, high: 10 }]);
      await assert.rejects(log.trim(t, 0, 11), { code: 'invalid' });
      await log.trim(t, 0, 10);
      assert.deepEqual(await log.ends(t), [{ partition: 0, low: 10, high: 10 }]);
      assert.deepEqual(await log.append(t, [record('k', 'next')]), [{ partition: 0, offset: 10 }]);
      const sink = collector();
      await log.consume(t, 'late', sink.handler);
      await sink.count(1);
      assert.equal(sink.batches[0]?.records[0]?.offset, 10);
    });

    check('a group that a trim overtook goes on with what is still there', async ({ log, topic }) => {
      const t = await made(log, topic(), 1);
      await log.append(t, many(4));
      const before = collector();
      const consumer = await log.consume(t, 'g', before.handler, { from: 'latest' });
      await log.append(t, many(2, 4));
      await before.count(2);
      await consumer.stop();
      await log.append(t, many(4, 6));
      await log.trim(t, 0, 8);
      const after = collector();
      await log.consume(t, 'g', after.handler);
      await after.count(2);
      assert.deepEqual(after.values(), ['8', '9']);
    });

    check('committed tells the positions of a group and nothing for a group nobody knows', async ({ log, topic }) => {
      const t = await made(log, topic(), 2);
      assert.equal((await log.committed(t, 'nobody')).size, 0);
      await keysFor(log, t, 2);
      const sink = collector();
      const consumer = await log.consume(t, 'g', sink.handler);
      await sink.count(2);
      await consumer.stop();
      assert.deepEqual([...(await log.committed(t, 'g'))].sort(), [
        [0, 1],
        [1, 1],
      ]);
      assert.equal((await log.committed(t, 'nobody')).size, 0);
    });

    check(
      'a group that is set back handles everything again, and only while nobody consumes as it',
      async ({ log, topic }) => {
        const t = await made(log, topic(), 3);
        await keysFor(log, t, 3);
        const [first, second] = [collector(), collector()];
        const consumer = await log.consume(t, 'g', first.handler);
        await first.count(3);
        await assert.rejects(log.rewind(t, 'g'), { code: 'invalid' });
        await consumer.stop();
        await log.trim(t, 0, 1);
        await log.rewind(t, 'g');
        const ends = await log.ends(t);
        assert.deepEqual(
          [...(await log.committed(t, 'g'))].sort(),
          ends.map(({ partition, low }) => [partition, low]),
        );
        await log.consume(t, 'g', second.handler);
        await second.count(sum(ends.map(({ low, high }) => high - low)));
        await assert.rejects(log.rewind('nothing-of-this', 'g'), { code: 'unknown_topic' });
      },
    );

    check('the epoch is a positive number and the same on every connection', async ({ log, another }) => {
      const epoch = await log.epoch();
      assert.ok(Number.isSafeInteger(epoch) && epoch > 0);
      assert.equal(await log.epoch(), epoch);
      assert.equal(await (await another()).epoch(), epoch);
    });

    check('a closed log refuses everything', async ({ log, topic }) => {
      const t = await made(log, topic(), 1);
      const sink = collector();
      await log.consume(t, 'g', sink.handler);
      await log.close();
      assert.equal(log.connected, false);
      await assert.rejects(log.append(t, [record('k', 'v')]), refusal('refused', 'closed'));
      await assert.rejects(log.ends(t), { code: 'closed' });
      await assert.rejects(
        log.consume(t, 'g', async () => {}),
        { code: 'closed' },
      );
      await log.close();
    });

    if (canStall) {
      check(
        'an append that is not durable in time is unknown; what became of it shows later',
        async ({ log, topic, stall }) => {
          assert.ok(stall);
          const t = await made(log, topic(), 1);
          await log.append(t, [record('k', 'before')]);
          const release = await stall(log);
          const started = performance.now();
          await assert.rejects(
            log.append(t, [record('k', 'during')], { deadlineMs: 300 }),
            refusal('unknown', 'deadline'),
          );
          assert.ok(performance.now() - started < 5000);
          await release();
          await log.append(t, [record('k', 'after')], { deadlineMs: 20_000 });
          const values = (await log.read(t, 0, 0, 10)).map(text);
          assert.ok(
            [['before', 'after'].join(), ['before', 'during', 'after'].join()].includes(values.join()),
            `in order and none twice: ${values}`,
          );
        },
      );
    }
  });
}

function record(key: string, value: string | Uint8Array): AppendRecord {
  return { key, value: typeof value === 'string' ? Buffer.from(value) : value };
}

function many(n: number, from = 0): AppendRecord[] {
  return Array.from({ length: n }, (_, i) => record(`key-${(from + i) % 11}`, String(from + i)));
}

function text({ value }: AppendRecord | LogRecord): string {
  return Buffer.from(value).toString();
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

const byNumber = (a: string, b: string) => Number(a) - Number(b);

async function made(log: EventLog, name: string, partitions: number): Promise<string> {
  await log.createTopics([{ name, partitions }]);
  return name;
}

/** Appends one record to each of the `n` partitions and tells by which key each is reached. */
async function keysFor(log: EventLog, topic: string, n: number): Promise<{ key: string; partition: number }[] & Pair> {
  const probe = await made(log, `${topic}-probe`, n);
  const found = new Map<number, string>();
  for (let i = 0; found.size < n; i++) {
    const [position] = await log.append(probe, [record(`probe-${i}`, 'x')]);
    if (position !== undefined && !found.has(position.partition)) found.set(position.partition, `probe-${i}`);
  }
  const keys = [...found].map(([partition, key]) => ({ key, partition }));
  await log.append(
    topic,
    keys.map(({ key }) => record(key, 'x')),
  );
  return keys as typeof keys & Pair;
}

type Pair = [{ key: string; partition: number }, { key: string; partition: number }];

function refusal(outcome: 'refused' | 'unknown', code: string) {
  return (err: unknown) => {
    assert.ok(err instanceof AppendError && err instanceof EventLogError, String(err));
    assert.deepEqual([err.outcome, err.code], [outcome, code]);
    return true;
  };
}

function collector() {
  const batches: LogBatch[] = [];
  let waiting: { n: number; resolve: () => void }[] = [];
  const total = () => sum(batches.map(b => b.records.length));
  return {
    batches,
    values: () => batches.flatMap(b => b.records.map(text)),
    async handler(batch: LogBatch) {
      batches.push(batch);
      for (const { n, resolve } of waiting) if (total() >= n) resolve();
      waiting = waiting.filter(({ n }) => total() < n);
    },
    /** Resolves when `n` records have come. */
    count: (n: number) =>
      total() >= n ? Promise.resolve() : new Promise<void>(resolve => waiting.push({ n, resolve })),
  };
}
