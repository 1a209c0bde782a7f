import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { PresenceViewSchema } from '@parley/contracts/presence/v1/presence';
import { refusal } from '../test/fake-server.ts';
import { ParleyClientError, signedOut, toClientError } from './errors.ts';
import { availabilityClass, createPresenceStores } from './presence.ts';
import { createStore } from './store.ts';

describe('a store', () => {
  it('tells of another value, not of the same', () => {
    const store = createStore(1);
    let told = 0;
    store.subscribe(() => told++);
    store.set(1);
    store.set(2);
    assert.equal(told, 1);
    assert.equal(store.getSnapshot(), 2);
  });

  it('lets a listener leave while it is told', () => {
    const store = createStore(1);
    const told: string[] = [];
    const off = store.subscribe(() => {
      told.push('once');
      off();
    });
    store.subscribe(() => told.push('always'));
    store.set(2);
    store.set(3);
    assert.deepEqual(told, ['once', 'always', 'always']);
  });
});

describe('presence', () => {
  const view = (revision: bigint, availability: number) =>
    create(PresenceViewSchema, { personId: 'tom', revision, availability });

  it('drops views older than the one shown', () => {
    const stores = createPresenceStores();
    const shown = () => stores.of('tom').getSnapshot().availability;
    assert.equal(shown(), 0);
    stores.apply(view(5n, 3500));
    stores.apply(view(4n, 18_500));
    assert.equal(shown(), 3500);
    stores.apply(view(6n, 6500));
    assert.equal(shown(), 6500);
  });

  it('is unknown again when nobody tells of it, and takes whatever is told next', () => {
    const stores = createPresenceStores();
    stores.apply(view(5n, 3500));
    stores.forgetAll();
    assert.equal(stores.of('tom').getSnapshot().availability, 0);
    stores.apply(view(5n, 3500));
    stores.forget(['tom', 'nobody']);
    assert.equal(stores.of('tom').getSnapshot().availability, 0);
  });

  it('has a class for every number', () => {
    const numbers = [0, 2999, 3000, 4500, 6000, 7500, 9000, 11_999, 12_000, 15_000, 17_999, 18_000, 65_535];
    assert.deepEqual(numbers.map(availabilityClass), [
      'unknown',
      'unknown',
      'available',
      'inactive',
      'busy',
      'busy-idle',
      'do-not-disturb',
      'do-not-disturb',
      'be-right-back',
      'away',
      'away',
      'offline',
      'offline',
    ]);
  });
});

describe('an error', () => {
  it('carries what the server said', () => {
    const error = toClientError(refusal('im.rate_limited', Code.ResourceExhausted, { retryAfterMs: 70, field: 'a.b' }));
    assert.ok(error instanceof ParleyClientError);
    const { code, status, field, retryAfterMs, requestId, retryable } = error;
    assert.deepEqual(
      { code, status, field, retryAfterMs, requestId, retryable },
      {
        code: 'im.rate_limited',
        status: Code.ResourceExhausted,
        field: 'a.b',
        retryAfterMs: 70,
        requestId: 'r-1',
        retryable: true,
      },
    );
  });

  it('says which refusals waiting can help, and that critical mode is not one of them', () => {
    const retryable = (code: string, status: Code) =>
      (toClientError(refusal(code, status)) as ParleyClientError).retryable;
    assert.equal(retryable('rpc.unavailable', Code.Unavailable), true);
    assert.equal(retryable('im.outcome_unknown', Code.Unknown), true);
    assert.equal(retryable('rpc.deadline_exceeded', Code.DeadlineExceeded), true);
    assert.equal(retryable('directory.busy', Code.Aborted), true);
    assert.equal(retryable('im.archive_unavailable', Code.Unavailable), false);
    assert.equal(retryable('im.text_too_long', Code.ResourceExhausted), false);
    assert.equal(retryable('rpc.internal', Code.Internal), false);
    assert.equal(retryable('rpc.permission_denied', Code.PermissionDenied), false);
  });

  it('names what is not from the server', () => {
    const codeOf = (error: unknown) => (toClientError(error) as ParleyClientError).code;
    assert.equal(codeOf(new TypeError('fetch failed')), 'client.network');
    assert.equal(codeOf(new ConnectError('HTTP 502', Code.Unavailable)), 'client.network');
    assert.equal(codeOf(new ConnectError('slow', Code.DeadlineExceeded)), 'client.deadline_exceeded');
    assert.equal(codeOf(new ConnectError('HTTP 404', Code.Unimplemented)), 'client.unimplemented');
    assert.equal(codeOf(ConnectError.from(signedOut())), 'client.signed_out', 'thrown before the call went out');
  });

  it('is the reason of the signal when the caller gave up', () => {
    const reason = new Error('enough');
    assert.equal(toClientError(new ConnectError('aborted', Code.Canceled), AbortSignal.abort(reason)), reason);
    assert.equal(toClientError(new Error('x'), AbortSignal.abort('no error')).name, 'AbortError');
  });
});
