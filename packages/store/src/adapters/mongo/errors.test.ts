import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { it } from 'node:test';
import {
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
  type TopologyDescription,
} from 'mongodb';
import { StoreError } from '../../errors.ts';
import { failure, isDuplicate } from './errors.ts';

const server = (code: number) => new MongoServerError({ message: 'secret text of a document', code });
const told = (error: unknown, write: boolean) => {
  const { outcome, code } = failure(error, write);
  return [outcome, code];
};

it('a write is open when the connection broke or the server failed, and not when the server refused it', () => {
  assert.deepEqual(told(new MongoNetworkError('connection 3 to a closed'), true), ['unknown', 'store.unavailable']);
  assert.deepEqual(told(new MongoNetworkTimeoutError('timed out'), true), ['unknown', 'store.timeout']);
  assert.deepEqual(told(server(1), true), ['unknown', 'store.unavailable']);
  assert.deepEqual(told(server(50), true), ['unknown', 'store.timeout']);
  assert.deepEqual(told(server(64), true), ['unknown', 'store.unavailable']);
  assert.deepEqual(told(new Error('anything else'), true), ['unknown', 'store.unavailable']);
  for (const code of [13, 10107, 13435, 11000])
    assert.deepEqual(told(server(code), true), ['not-applied', 'store.unavailable']);
});

it('a write that could not be sent was not done', () => {
  assert.deepEqual(told(new MongoNetworkError('connect ECONNREFUSED 127.0.0.1:1'), true), [
    'not-applied',
    'store.unavailable',
  ]);
});

it('a write that waited for its answer when its connection was given up is open', () => {
  const { PoolClearedError, PoolClearedOnNetworkError } = createRequire(import.meta.url)('mongodb/lib/cmap/errors.js');
  const pool = { address: '127.0.0.1:1', serverError: undefined };
  assert.deepEqual(told(new PoolClearedOnNetworkError(pool), true), ['unknown', 'store.unavailable']);
  assert.deepEqual(told(new PoolClearedError(pool), true), ['not-applied', 'store.unavailable']);
});

it('a write for which no server is found is open where the driver may have sent it before', () => {
  const none = (type: string) => new MongoServerSelectionError('none', { type } as TopologyDescription);
  for (const type of ['Single', 'Unknown'])
    assert.deepEqual(told(none(type), true), ['not-applied', 'store.unavailable']);
  for (const type of ['ReplicaSetNoPrimary', 'Sharded'])
    assert.deepEqual(told(none(type), true), ['unknown', 'store.unavailable']);
});

it('a read never leaves anything open', () => {
  for (const error of [new MongoNetworkError('closed'), server(1), new Error('x')])
    assert.equal(failure(error, false).outcome, 'not-applied');
});

it('says nothing of a document, and keeps a failure that was told already', () => {
  assert.doesNotMatch(failure(server(1), true).message, /secret/);
  const already = new StoreError('store.not_migrated', 'x');
  assert.equal(failure(already, true), already);
  assert.equal(isDuplicate(server(11000)), true);
  assert.equal(isDuplicate(server(1)), false);
});
