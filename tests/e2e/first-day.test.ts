import { it } from 'node:test';
import { firstDay } from './first-day.ts';

it(
  'the first day of a standalone installation: one command, one password shown once, nothing twice',
  {
    timeout: 180_000,
  },
  () =>
    firstDay({
      topology: 'standalone',
      faults: () => ({ logDown: async () => undefined, logUp: async () => undefined }),
    }),
);
