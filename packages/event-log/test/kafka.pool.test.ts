import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createMetrics, systemClock } from '@parley/runtime';
import { type Backends, startBackends } from '@parley/test-backends';
import { eventLogContract } from '../src/contract/event-log.contract.ts';
import { connectKafkaEventLog, type EventLog, type KafkaEventLogOptions } from '../src/index.ts';

const brokers = process.env['PARLEY_TEST_KAFKA_BROKERS']?.split(',');

const dial = (servers: readonly string[], more: Partial<KafkaEventLogOptions> = {}) =>
  connectKafkaEventLog({
    brokers: servers,
    clientId: 'test',
    clock: systemClock,
    replicationFactor: 1,
    minInsyncReplicas: 1,
    backoff: { minMs: 20, maxMs: 100 },
    sessionTimeoutMs: 6000,
    fetchWaitMs: 100,
    ...more,
  });

const record = (key: string, value: string) => ({ key, value: Buffer.from(value) });
const values = async (log: EventLog, topic: string) =>
  (await log.read(topic, 0, 0, 1000)).map(r => Buffer.from(r.value).toString());

if (brokers === undefined) {
  it('Kafka: not run, because PARLEY_TEST_KAFKA_BROKERS is not set', { skip: true }, () => {});
} else {
  eventLogContract(
    'Kafka',
    async () => {
      const logs = [await dial(brokers)];
      await logs[0]?.createTopics([]);
      return {
        log: logs[0] as EventLog,
        topic: () => `t-${randomUUID()}`,
        async another() {
          const other = await dial(brokers);
          logs.push(other);
          return other;
        },
        close: async () => void (await Promise.all(logs.map(log => log.close()))),
      };
    },
    false,
  );

  describe('Kafka', { timeout: 120_000 }, () => {
    it('costs next to nothing while it idles, and sets no timer into the past', async () => {
      const child = join(import.meta.dirname, 'idle-child.ts');
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [
        '--trace-warnings',
        child,
        brokers.join(),
        `idle-${randomUUID()}`,
      ]);
      const { cpuMsPerSecond } = JSON.parse(stdout) as { cpuMsPerSecond: number };
      assert.doesNotMatch(stderr, /TimeoutNegativeWarning/);
      assert.ok(cpuMsPerSecond < 15, `${cpuMsPerSecond} ms of CPU a second`);
    });

    it('keeps its place in the group while a handler takes longer than the session', async () => {
      const log = await dial(brokers);
      const topic = `long-${randomUUID()}`;
      await log.createTopics([{ name: topic, partitions: 1 }]);
      await log.append(topic, [record('k', '1')]);
      let calls = 0;
      const entered = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const consumer = await log.consume(topic, 'g', async () => {
        calls++;
        entered.resolve();
        await gate.promise;
      });
      await entered.promise;
      await systemClock.sleep(9000);
      gate.resolve();
      await consumer.stop();
      assert.equal(calls, 1);
      assert.deepEqual([...(await log.committed(topic, 'g'))], [[0, 1]]);
      await log.close();
    });

    it('keeps telling that it lives when the clock of its machine was set back, and others can join', async t => {
      const log = await dial(brokers);
      const topic = `clock-${randomUUID()}`;
      await log.createTopics([{ name: topic, partitions: 2 }]);
      const now = Date.now.bind(Date);
      t.mock.method(Date, 'now', () => now() + 300_000);
      const first = await log.consume(topic, 'g', async () => undefined);
      t.mock.restoreAll();
      const began = systemClock.monotonic();
      const second = await log.consume(topic, 'g', async () => undefined);
      // who says nothing is waited for until his session is over, which takes six seconds here
      assert.ok(systemClock.monotonic() - began < 4_000);
      await Promise.all([first.stop(), second.stop()]);
      await log.close();
    });

    it('knows its topics once it has made sure of them, whichever process made them', async () => {
      const logs = await Promise.all(Array.from({ length: 6 }, () => dial(brokers)));
      for (let round = 0; round < 5; round++) {
        const topic = `together-${randomUUID()}`;
        const ends = logs.map(async log => {
          await log.createTopics([{ name: topic, partitions: 4 }]);
          return (await log.ends(topic)).length;
        });
        assert.deepEqual(await Promise.all(ends), [4, 4, 4, 4, 4, 4]);
      }
      await Promise.all(logs.map(log => log.close()));
    });

    it('refuses to start where there is no Kafka', async () => {
      await assert.rejects(dial(['127.0.0.1:1'], { connectTimeoutMs: 300 }), { code: 'unavailable' });
    });

    it('keeps installations that share a cluster apart by a prefix', async () => {
      const [north, south] = [
        await dial(brokers, { topicPrefix: 'north.' }),
        await dial(brokers, { topicPrefix: 'south.' }),
      ];
      const topic = `prefix-${randomUUID()}`;
      for (const log of [north, south]) await log.createTopics([{ name: topic, partitions: 1 }]);
      await north.append(topic, [record('k', 'of the north')]);
      const done = Promise.withResolvers<void>();
      const consumer = await north.consume(topic, 'g', async batch => {
        assert.equal(batch.topic, topic);
        done.resolve();
      });
      await done.promise;
      await consumer.stop();
      assert.deepEqual(await values(north, topic), ['of the north']);
      assert.deepEqual(await values(south, topic), []);
      assert.deepEqual([...(await north.committed(topic, 'g'))], [[0, 1]]);
      assert.deepEqual([...(await south.committed(topic, 'g'))], []);
      assert.notEqual(await north.epoch(), await south.epoch());
      const bare = await dial(brokers);
      assert.deepEqual(await values(bare, `north.${topic}`), ['of the north']);
      await assert.rejects(bare.ends(topic), { code: 'unknown_topic' });
      await Promise.all([north.close(), south.close(), bare.close()]);
    });

    it('tells its lag', async () => {
      const metrics = createMetrics({ defaults: false });
      const log = await dial(brokers, { metrics, lagMs: 50 });
      const topic = `lag-${randomUUID()}`;
      await log.createTopics([{ name: topic, partitions: 1 }]);
      const gate = Promise.withResolvers<void>();
      const consumer = await log.consume(topic, 'g', () => gate.promise);
      for (let i = 0; i < 5; i++) await log.append(topic, [record('k', `${i}`)]);
      const sample = (n: number) => `parley_log_consumer_lag{topic="${topic}",group="g",partition="0"} ${n}`;
      const until = async (n: number) => {
        while (!(await metrics.render()).includes(sample(n))) await systemClock.sleep(20);
      };
      await until(5);
      gate.resolve();
      await until(0);
      await consumer.stop();
      await log.close();
    });
  });

  describe('Kafka, a cluster of its own', { timeout: 180_000 }, () => {
    let backends: Backends;
    before(async () => {
      backends = await startBackends({ kafka: true });
    });
    after(() => backends?.stop());
    const own = () => backends.kafka?.brokers ?? [];

    it('has no epoch before the migration, and another one than a cluster with the same id', async () => {
      const [log, other] = await Promise.all([dial(own()), dial(brokers)]);
      await assert.rejects(log.epoch(), { code: 'no_epoch' });
      await Promise.all([log.createTopics([]), log.createTopics([]), other.createTopics([])]);
      assert.notEqual(await log.epoch(), await other.epoch());
      assert.equal(await (await dial(own())).epoch(), await log.epoch());
      await Promise.all([log.close(), other.close()]);
    });

    it('says unknown of what was on its way to a broker that hangs, refused of what waited, and loses no order', async () => {
      const log = await dial(own());
      const topic = `hang-${randomUUID()}`;
      await log.createTopics([{ name: topic, partitions: 1 }]);
      await log.append(topic, [record('k', 'before')]);
      backends.kafka?.pause();
      const first = assert.rejects(log.append(topic, [record('k', 'during')], { deadlineMs: 300 }), {
        outcome: 'unknown',
        code: 'deadline',
      });
      await first;
      await assert.rejects(log.append(topic, [record('k', 'never')], { deadlineMs: 300 }), {
        outcome: 'refused',
        code: 'deadline',
      });
      assert.equal(log.connected, false);
      backends.kafka?.resume();
      await log.append(topic, [record('k', 'after')], { deadlineMs: 20_000 });
      assert.equal(log.connected, true);
      assert.deepEqual(await values(log, topic), ['before', 'during', 'after']);
      await log.close();
    });

    it('comes through a restart of the broker: appends, consumers and positions', async () => {
      const log = await dial(own());
      const topic = `restart-${randomUUID()}`;
      await log.createTopics([{ name: topic, partitions: 2 }]);
      const epoch = await log.epoch();
      const seen = new Set<string>();
      let arrived = Promise.withResolvers<void>();
      let wanted = 'first';
      const consumer = await log.consume(topic, 'g', async ({ records }) => {
        for (const r of records) seen.add(Buffer.from(r.value).toString());
        if (seen.has(wanted)) arrived.resolve();
      });
      await log.append(topic, [record('a', 'first')]);
      await arrived.promise;

      await backends.kafka?.kill();
      // until it sees that its connections ended, what it writes to them is unknown
      while (log.connected) await systemClock.sleep(10);
      await assert.rejects(log.append(topic, [record('a', 'lost')], { deadlineMs: 500 }), { outcome: 'refused' });
      assert.equal(log.connected, false);
      arrived = Promise.withResolvers<void>();
      wanted = 'second';
      const coming = log.append(topic, [record('b', 'second')], { deadlineMs: 60_000 });
      await backends.kafka?.restart();
      await coming;
      await arrived.promise;
      assert.equal(log.connected, true);
      assert.equal(await (await dial(own())).epoch(), epoch);
      assert.ok(!seen.has('lost'));
      await consumer.stop();
      assert.equal(
        [...(await log.committed(topic, 'g')).values()].reduce((a, b) => a + b, 0),
        2,
      );
      await log.close();
    });
  });

  describe('Kafka, secured', { timeout: 120_000 }, () => {
    it('speaks TLS to brokers whose authority it knows, and to no others', async () => {
      const dir = mkdtempSync(join(tmpdir(), 'parley-kafka-'));
      const [cert, key, pair] = ['cert.pem', 'key.pem', 'pair.pem'].map(name => join(dir, name)) as [
        string,
        string,
        string,
      ];
      const subject = ['-subj', '/CN=kafka.example', '-addext', 'subjectAltName=IP:127.0.0.1'];
      const make = [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-keyout',
        key,
        '-out',
        cert,
        ...subject,
      ];
      execFileSync('openssl', make, { stdio: 'ignore' });
      writeFileSync(pair, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'));
      const guarded = await startBackends({
        kafka: {
          properties: ports => ({
            listeners: `SSL://127.0.0.1:${ports.broker},CONTROLLER://127.0.0.1:${ports.controller}`,
            'advertised.listeners': `SSL://127.0.0.1:${ports.broker}`,
            'inter.broker.listener.name': 'SSL',
            'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,SSL:SSL',
            'ssl.keystore.type': 'PEM',
            'ssl.keystore.location': pair,
            'ssl.truststore.type': 'PEM',
            'ssl.truststore.location': cert,
          }),
        },
      });
      try {
        const servers = guarded.kafka?.brokers ?? [];
        const log = await dial(servers, { tls: { caFile: cert } });
        await log.createTopics([{ name: 't', partitions: 1 }]);
        await log.append('t', [record('k', 'v')]);
        assert.deepEqual(await values(log, 't'), ['v']);
        await log.close();
        await assert.rejects(dial(servers, { tls: {}, connectTimeoutMs: 500 }), { code: 'unavailable' });
      } finally {
        await guarded.stop();
        rmSync(dir, { recursive: true, force: true });
      }
    });

    it('signs in with SCRAM and a password from a file, and is refused with a wrong one', async () => {
      const dir = mkdtempSync(join(tmpdir(), 'parley-kafka-'));
      const passwordFile = join(dir, 'password');
      writeFileSync(passwordFile, 'right-password\n');
      writeFileSync(join(dir, 'wrong'), 'wrong');
      const jaas =
        'org.apache.kafka.common.security.scram.ScramLoginModule required username="parley" password="right-password";';
      const guarded = await startBackends({
        kafka: {
          formatArgs: ['--add-scram', 'SCRAM-SHA-512=[name=parley,password=right-password]'],
          properties: ports => ({
            listeners: `SASL_PLAINTEXT://127.0.0.1:${ports.broker},CONTROLLER://127.0.0.1:${ports.controller}`,
            'advertised.listeners': `SASL_PLAINTEXT://127.0.0.1:${ports.broker}`,
            'inter.broker.listener.name': 'SASL_PLAINTEXT',
            'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
            'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT',
            'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
            'listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config': jaas,
          }),
        },
      });
      try {
        const servers = guarded.kafka?.brokers ?? [];
        const sasl = { mechanism: 'scram-sha-512', username: 'parley', passwordFile } as const;
        const log = await dial(servers, { sasl });
        await log.createTopics([{ name: 't', partitions: 1 }]);
        const seen = Promise.withResolvers<void>();
        await log.consume('t', 'g', async () => seen.resolve());
        await log.append('t', [record('k', 'v')]);
        await seen.promise;
        await log.close();
        const wrong = dial(servers, { sasl: { ...sasl, passwordFile: join(dir, 'wrong') }, connectTimeoutMs: 2000 });
        await assert.rejects(wrong, { code: 'unavailable' });
      } finally {
        await guarded.stop();
        rmSync(dir, { recursive: true, force: true });
      }
    });
  });
}
