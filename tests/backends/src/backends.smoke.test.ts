import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Backends, startBackends, startHaproxy } from './index.ts';
import { accepts, exchange } from './net.ts';
import { processTree } from './proc.ts';
import { encodeBson, encodeOpMsg, kafkaAnswers, mongoAnswers, natsAnswers } from './wire.ts';

const MINUTES = 60_000;
const portOf = (address: string): number => Number(/:(\d+)\/?$/.exec(address)?.[1]);

/** Inserts `{_id: key}`: the documents travel in a section of their own, so flat BSON is enough. */
async function insert(port: number, key: string): Promise<void> {
  const body = encodeOpMsg(1, { insert: 'things', $db: 'smoke' });
  const sequence = Buffer.concat([Buffer.alloc(4), Buffer.from('documents\0'), encodeBson({ _id: key })]);
  sequence.writeInt32LE(sequence.length);
  const message = Buffer.concat([body, Buffer.from([1]), sequence]);
  message.writeInt32LE(message.length);
  assert.equal(numberIn(await mongoCall(port, message), 'n'), 1);
}

async function countThings(port: number): Promise<number> {
  return numberIn(await mongoCall(port, encodeOpMsg(1, { count: 'things', $db: 'smoke' })), 'n');
}

async function mongoCall(port: number, message: Buffer): Promise<Buffer> {
  const answer = await exchange(port, message, a => a.length >= 4 && a.length >= a.readInt32LE(0), 10_000);
  assert.ok(answer, 'no answer');
  return answer;
}

function numberIn(answer: Buffer, field: string): number {
  const at = answer.indexOf(Buffer.concat([Buffer.from([0x10]), Buffer.from(`${field}\0`)]));
  assert.notEqual(at, -1, `no field "${field}" in ${answer.toString('latin1')}`);
  return answer.readInt32LE(at + 2 + field.length);
}

async function kafkaCall(port: number, apiKey: number, version: number, body: Buffer): Promise<Buffer> {
  const frame = Buffer.alloc(14);
  frame.writeInt32BE(10 + body.length, 0);
  frame.writeInt16BE(apiKey, 4);
  frame.writeInt16BE(version, 6);
  const complete = (a: Buffer): boolean => a.length >= 4 && a.length >= 4 + a.readInt32BE(0);
  const answer = await exchange(port, Buffer.concat([frame, body]), complete, 10_000);
  assert.ok(answer, 'no answer');
  return answer;
}

const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const int32 = (value: number): Buffer => Buffer.concat([int16(value >> 16), int16(value & 65535)]);
const text = (value: string): Buffer => Buffer.concat([int16(value.length), Buffer.from(value)]);

/** CreateTopics v2: one partition, one replica, no assignments, no configuration; 10 s; for real. */
async function createTopic(port: number, name: string): Promise<void> {
  const topic = [text(name), int32(1), int16(1), int32(0), int32(0)];
  const answer = await kafkaCall(port, 19, 2, Buffer.concat([int32(1), ...topic, int32(10_000), Buffer.from([0])]));
  assert.equal(answer.readInt16BE(4 + 4 + 4 + 4 + 2 + name.length), 0);
}

/** Metadata v4 with automatic creation allowed; the error code of the topic (3: unknown). */
async function topicError(port: number, name: string): Promise<number> {
  const answer = await kafkaCall(port, 3, 4, Buffer.concat([int32(1), text(name), Buffer.from([1])]));
  return answer.readInt16BE(answer.indexOf(text(name)) - 2);
}

describe('real backends', { timeout: 20 * MINUTES }, () => {
  let backends: Backends;
  let nats = 0;
  let kafka = 0;
  let mongo = 0;

  before(async () => {
    backends = await startBackends({ log: () => {} });
    nats = portOf(backends.nats?.url ?? '');
    kafka = portOf(backends.kafka?.brokers[0] ?? '');
    mongo = portOf(backends.mongo?.url ?? '');
  });
  after(() => backends?.stop());

  it('answer on their own protocols, and say so in the environment', async () => {
    assert.deepEqual(Object.keys(backends.env).sort(), [
      'PARLEY_TEST_KAFKA_BROKERS',
      'PARLEY_TEST_MONGO_URL',
      'PARLEY_TEST_NATS_URL',
    ]);
    assert.equal(await natsAnswers(nats), true);
    assert.equal(await kafkaAnswers(kafka), true);
    assert.equal(await mongoAnswers(mongo), true);
  });

  it('let a killed NATS come back on its port', async () => {
    await backends.nats?.kill();
    assert.deepEqual(backends.nats?.pids(), []);
    assert.equal(await natsAnswers(nats), false);
    await backends.nats?.restart();
    assert.equal(await natsAnswers(nats), true);
  });

  it('let a killed Kafka come back with its topics, and never create one unasked', async () => {
    await createTopic(kafka, 'kept');
    assert.equal(await topicError(kafka, 'unasked'), 3);
    await backends.kafka?.kill();
    assert.equal(await accepts(kafka), false);
    await backends.kafka?.restart();
    assert.equal(await topicError(kafka, 'kept'), 0);
    assert.equal(await topicError(kafka, 'unasked'), 3);
  });

  it('let a killed document database come back with every acknowledged document', async () => {
    for (let i = 0; i < 20; i++) await insert(mongo, `k${i}`);
    await backends.mongo?.kill();
    assert.deepEqual(backends.mongo?.pids(), []);
    await backends.mongo?.restart();
    assert.equal(await countThings(mongo), 20);
  });

  it('let the database die behind its front', async () => {
    await backends.mongo?.database.kill();
    assert.equal(await accepts(mongo), true);
    assert.equal(await mongoAnswers(mongo), false);
    await backends.mongo?.database.restart();
    // The front first has to notice that its pooled connections are dead.
    for (let round = 0; round < 200 && !(await mongoAnswers(mongo)); round++) await delay(50);
    await delay(1100);
    assert.equal(await countThings(mongo), 20);
  });

  it('freeze and thaw', async () => {
    for (const [handle, answers] of [
      [backends.nats, () => natsAnswers(nats)],
      [backends.kafka, () => kafkaAnswers(kafka)],
      [backends.mongo, () => mongoAnswers(mongo)],
    ] as const) {
      handle?.pause();
      assert.equal(await answers(), false);
      handle?.resume();
      assert.equal(await answers(), true);
      handle?.pause();
    }
    await Promise.all([backends.nats?.restart(), backends.kafka?.restart(), backends.mongo?.restart()]);
    assert.equal(await countThings(mongo), 20);
  });

  it('run twice side by side, behind a real HAProxy', async () => {
    const second = await startBackends({ nats: true, log: () => {} });
    const target = portOf(second.nats?.url ?? '');
    const proxy = await startHaproxy({
      ports: ['front'],
      log: () => {},
      config: ({ front }) => `
defaults
  mode tcp
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend f
  bind 127.0.0.1:${front}
  default_backend b
backend b
  server s 127.0.0.1:${target}
`,
    });
    assert.notEqual(target, nats);
    assert.equal(await natsAnswers(proxy.ports.front ?? 0), true);
    await second.nats?.kill();
    assert.equal(await natsAnswers(proxy.ports.front ?? 0), false);
    assert.equal(await natsAnswers(nats), true);
    await Promise.all([second.stop(), proxy.stop()]);
    assert.equal(existsSync(second.dir), false);
  });

  it('leave nothing behind when they are stopped', async () => {
    const pids = [backends.nats, backends.kafka, backends.mongo].flatMap(handle => handle?.pids() ?? []);
    assert.ok(pids.length > 3);
    await backends.stop();
    assert.equal(existsSync(backends.dir), false);
    assert.deepEqual(pids.flatMap(processTree), []);
    assert.equal(await accepts(kafka), false);
  });
});
