import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  formatRefreshToken,
  hashSecret,
  isGenuine,
  parseRefreshToken,
  type RefreshToken,
  successorOf,
} from './refresh-token.ts';
import { decideRefresh, isInForce, newSignIn, type SignIn } from './sign-in.ts';

const key = randomBytes(32);
const rule = { idleMs: 1000, absoluteMs: 5000, graceMs: 30 };
const account = { state: 'enabled', epoch: 1 } as const;
const parse = (text: string) => parseRefreshToken(text) as RefreshToken;
const first = parse(formatRefreshToken(key, 'sid', randomBytes(32)));
const begun = newSignIn({ personId: 'p', epoch: 1, deviceLabel: '', currentHash: hashSecret(first.secret) }, 0, rule);

const present = (token: RefreshToken, withKey = key) => ({
  hash: hashSecret(token.secret),
  successorHash: hashSecret(successorOf(withKey, token)),
  genuine: isGenuine(withKey, token),
});
const next = (token: RefreshToken) => parse(formatRefreshToken(key, token.signInId, successorOf(key, token)));
const rotate = (state: SignIn, token: RefreshToken, now: number): SignIn => {
  const decision = decideRefresh(state, account, present(token), now, rule);
  assert.equal(decision.kind, 'rotate');
  return decision.kind === 'rotate' ? decision.next : state;
};

describe('a refresh token', () => {
  it('is read back as it was written, and nothing else is', () => {
    const text = formatRefreshToken(key, 'sid', first.secret);
    assert.deepEqual(Buffer.from(parse(text).secret), Buffer.from(first.secret));
    for (const bad of [
      '',
      'x',
      `${text}A`,
      text.slice(0, -1),
      text.replace('prt1', 'prt2'),
      text.replace('sid', 's d'),
    ]) {
      assert.equal(parseRefreshToken(bad), undefined, bad);
    }
  });

  it('is genuine under its key and sign-in only', () => {
    assert.ok(isGenuine(key, first));
    assert.ok(!isGenuine(randomBytes(32), first));
    assert.ok(!isGenuine(key, { ...first, signInId: 'other' }));
    assert.ok(!isGenuine(key, { ...first, secret: randomBytes(32) }));
  });
});

describe('refreshing', () => {
  it('replaces the present token and prolongs the sign-in up to its absolute end', () => {
    let state = begun;
    let token = first;
    for (const now of [900, 1800, 2700, 3600, 4500]) {
      state = rotate(state, token, now);
      token = next(token);
      assert.equal(state.idleEndMs, Math.min(now + 1000, 5000));
    }
    assert.equal(state.generation, 5);
    assert.equal(decideRefresh(state, account, present(token), 5000, rule).kind, 'over');
  });

  it('gives the immediate predecessor its successor again, for a while', () => {
    const state = rotate(begun, first, 100);
    assert.equal(decideRefresh(state, account, present(first), 130, rule).kind, 'repeat');
    assert.equal(decideRefresh(state, account, present(first), 131, rule).kind, 'reused');
  });

  it('takes anything older for theft and ends the sign-in', () => {
    const second = next(first);
    const state = rotate(rotate(begun, first, 100), second, 101);
    const decision = decideRefresh(state, account, present(first), 102, rule);
    assert.equal(decision.kind, 'reused');
    const ended = (decision as { next: SignIn }).next;
    assert.ok(!isInForce(ended, account, 103));
    assert.deepEqual(decideRefresh(ended, account, present(next(second)), 103, rule), { kind: 'over', reused: true });
  });

  it('refuses an invented token without ending anything', () => {
    const invented = { ...first, secret: randomBytes(32) };
    assert.equal(decideRefresh(begun, account, present(invented), 1, rule).kind, 'invalid');
  });

  it('goes on after a change of the key, but repeats nothing that it cannot repeat', () => {
    const other = randomBytes(32);
    const decision = decideRefresh(begun, account, present(first, other), 1, rule);
    assert.equal(decision.kind, 'rotate');
    const state = rotate(begun, first, 1);
    assert.equal(decideRefresh(state, account, present(first, other), 2, rule).kind, 'invalid');
  });

  it('ends with the idle time, the epoch and the account', () => {
    const over = (state: SignIn, who: { state: 'enabled' | 'disabled'; epoch: number } | undefined, now: number) =>
      decideRefresh(state, who, present(first), now, rule).kind;
    assert.equal(over(begun, account, 999), 'rotate');
    assert.equal(over(begun, account, 1000), 'over');
    assert.equal(over(begun, { state: 'enabled', epoch: 2 }, 1), 'over');
    assert.equal(over(begun, { state: 'disabled', epoch: 1 }, 1), 'over');
    assert.equal(over(begun, undefined, 1), 'over');
  });
});
