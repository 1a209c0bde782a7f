import { it } from 'node:test';
import { traceOneMessage } from './traces.ts';

it('a message is one trace from the call to the archive, without anybody in it', { timeout: 180_000 }, () =>
  traceOneMessage({
    topology: 'standalone',
    faults: () => ({ logDown: async () => undefined, logUp: async () => undefined }),
  }),
);
