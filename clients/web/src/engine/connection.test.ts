import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ParleyClientError } from '@parley/client';
import { connectionInfo, sessionInfo } from './connection.ts';

const refused = (code: string) => Object.assign(new Error('no'), { code, params: {} }) as unknown as ParleyClientError;

describe('what is shown of the connection', () => {
  it('keeps saying why it waited while it tries again', () => {
    const error = refused('client.network');
    assert.equal(connectionInfo({ phase: 'waiting', retryAtMs: 5, error })?.phase, 'waiting');
    assert.equal(connectionInfo({ phase: 'connecting', attempt: 3 }), undefined);
    assert.deepEqual(connectionInfo({ phase: 'connecting', attempt: 0 }), { phase: 'connecting' });
  });

  it('tells who is signed in, even while the server is away', () => {
    const waiting = { phase: 'waiting', retryAtMs: 5, error: refused('client.network') } as const;
    assert.deepEqual(sessionInfo(waiting, 'me'), { kind: 'signed-in', personId: 'me' });
    assert.equal(sessionInfo({ phase: 'connecting', attempt: 0 }, 'me'), undefined);
  });

  it('leads to the change of password and to the sign-in when these are wanted', () => {
    const mustChange = refused('rpc.password_change_required');
    assert.deepEqual(sessionInfo({ phase: 'ended', reason: 'refused', error: mustChange }, 'me'), {
      kind: 'password-change',
      personId: 'me',
    });
    assert.deepEqual(sessionInfo({ phase: 'ended', reason: 'signed-out' }, 'me'), {
      kind: 'signed-out',
      reason: 'ended',
    });
    assert.equal(sessionInfo({ phase: 'ended', reason: 'taken-over' }, 'me')?.kind, 'signed-in');
  });
});
