import { type Backends, startBackends } from '../backends/src/index.ts';
import { runScenarios } from './run.ts';

let backends: Backends | undefined;

runScenarios(
  async () => {
    backends ??= await startBackends({ nats: true, kafka: true, mongo: true });
    const { nats, kafka, mongo } = backends;
    if (!nats || !kafka || !mongo) throw new Error('a server is missing');
    return {
      topology: 'pool',
      backends: { natsUrl: nats.url, kafkaBrokers: kafka.brokers, mongoUrl: mongo.url },
      // the broker hangs, so that appends end with an unknown outcome
      faults: () => ({ logDown: async () => kafka.pause(), logUp: async () => kafka.resume() }),
    };
  },
  async () => backends?.stop(),
);
