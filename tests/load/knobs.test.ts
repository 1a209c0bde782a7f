import assert from 'node:assert/strict';
import { test } from 'node:test';
// @ts-expect-error k6 reads JavaScript only, so there are no types
import { knobs } from './knobs.js';

const least = { PARLEY_GRPC_TARGET: '127.0.0.1:7390', PARLEY_ACCOUNTS: 'people.json', USERS: '200' };

test('the least that must be said gets the published model', () => {
  const knob = knobs(least) as Record<string, unknown>;
  assert.deepEqual(
    [knob.users, knob.seconds, knob.endpointsPerUser, knob.contacts, knob.rate, knob.signInsPerSecond, knob.tls],
    [200, 60, 1.9, 80, 1, 12, false],
  );
  assert.equal((knobs({ ...least, DURATION: '3m' }) as { seconds: number }).seconds, 180);
});

test('every missing or bad knob is named at once', () => {
  assert.throws(
    () => knobs({ DURATION: 'long', RATE: '0', TLS: 'yes' }),
    (error: Error) =>
      [
        'PARLEY_GRPC_TARGET is missing',
        'PARLEY_ACCOUNTS is missing',
        'USERS is ""',
        'DURATION is "long"',
        'RATE is "0"',
        'TLS is "yes"',
      ].every(part => error.message.includes(part)),
  );
  assert.throws(() => knobs({ ...least, USERS: 'many' }), /USERS is "many": people who are signed in, 2 to 100000/);
});
