import { it } from 'node:test';
import { startBackends } from '../backends/src/index.ts';
import { firstDay } from './first-day.ts';

it('the first day of a pool: one command, one password shown once, nothing twice', { timeout: 600_000 }, async () => {
  const backends = await startBackends({ nats: true, kafka: true, mongo: true });
  const { nats, kafka, mongo } = backends;
  try {
    if (!nats || !kafka || !mongo) throw new Error('a server is missing');
    await firstDay({
      topology: 'pool',
      backends: { natsUrl: nats.url, kafkaBrokers: kafka.brokers, mongoUrl: mongo.url },
      faults: () => ({ logDown: async () => kafka.pause(), logUp: async () => kafka.resume() }),
    });
  } finally {
    await backends.stop();
  }
});
