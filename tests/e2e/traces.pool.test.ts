import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startBackends } from '../backends/src/index.ts';
import { startRealCollector } from './collector.ts';
import { traceOneMessage } from './traces.ts';

const MESSAGE =
  'a message is one trace in an OpenTelemetry Collector, from the client over all processes to the archive';

it(MESSAGE, { timeout: 600_000 }, async () => {
  const backends = await startBackends({ nats: true, kafka: true, mongo: true });
  const { nats, kafka, mongo } = backends;
  try {
    if (!nats || !kafka || !mongo) throw new Error('a server is missing');
    const collector = await startRealCollector('of-the-collector');
    const body = JSON.stringify({ resourceSpans: [] });
    const stranger = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    assert.equal((await fetch(collector.url, stranger)).status, 401, 'it takes spans of those it knows');
    await traceOneMessage(
      {
        topology: 'pool',
        backends: { natsUrl: nats.url, kafkaBrokers: kafka.brokers, mongoUrl: mongo.url },
        faults: () => ({ logDown: async () => kafka.pause(), logUp: async () => kafka.resume() }),
      },
      collector,
    );
  } finally {
    await backends.stop();
  }
});
