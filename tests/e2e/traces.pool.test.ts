import { it } from 'node:test';
import { startBackends } from '../backends/src/index.ts';
import { traceOneMessage } from './traces.ts';

it('a message is one trace over all processes of a pool, without anybody in it', { timeout: 600_000 }, async () => {
  const backends = await startBackends({ nats: true, kafka: true, mongo: true });
  const { nats, kafka, mongo } = backends;
  try {
    if (!nats || !kafka || !mongo) throw new Error('a server is missing');
    await traceOneMessage({
      topology: 'pool',
      backends: { natsUrl: nats.url, kafkaBrokers: kafka.brokers, mongoUrl: mongo.url },
      faults: () => ({ logDown: async () => kafka.pause(), logUp: async () => kafka.resume() }),
    });
  } finally {
    await backends.stop();
  }
});
