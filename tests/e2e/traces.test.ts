import { it } from 'node:test';
import { startReceiver } from './collector.ts';
import { traceOneMessage } from './traces.ts';

it('a message is one trace from the client to the archive, without anybody in it', { timeout: 180_000 }, async () =>
  traceOneMessage(
    {
      topology: 'standalone',
      faults: () => ({ logDown: async () => undefined, logUp: async () => undefined }),
    },
    await startReceiver('Bearer of-the-collector'),
  ),
);
