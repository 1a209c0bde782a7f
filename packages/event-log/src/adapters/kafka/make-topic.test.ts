import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '@parley/testkit';
import type { TopicCreation } from './cluster.ts';
import { makeTopic } from './make-topic.ts';
import { persistently } from './retry.ts';

const options = { partitions: 4, replicationFactor: 1, config: {} };

/** Makes a topic in a cluster that says `made` and whose brokers know the topic from the third question on. */
async function make(made: TopicCreation) {
  const clock = new ManualClock();
  let asked = 0;
  const cluster = {
    createTopic: async () => made,
    discover: async () => [],
    settled: async () => ++asked === 3,
  };
  let answer: TopicCreation | undefined;
  const making = makeTopic(cluster, call => persistently(clock, 10_000, call), 't', options).then(is => (answer = is));
  await clock.advance(0);
  const early = answer;
  for (let i = 0; i < 10 && answer === undefined; i++) await clock.advance(100);
  await making;
  return { answer, early, asked };
}

describe('a topic that is made', () => {
  for (const made of ['created', 'raced'] as const)
    it(`is waited for until every broker knows it: ${made}`, async () => {
      assert.deepEqual(await make(made), { answer: made, early: undefined, asked: 3 });
    });

  it('is not asked for again when it was there', async () => {
    assert.deepEqual(await make('existed'), { answer: 'existed', early: 'existed', asked: 0 });
  });
});
