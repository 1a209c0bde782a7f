import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Role } from '@parley/contracts';
import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService, type TokenPair } from '@parley/contracts/directory/v1/auth';
import { DirectoryInternalService } from '@parley/contracts/directory/v1/internal';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { signIns } from '../collections.ts';
import { administrator, type Directory, goodPassword, refusal, startDirectory } from '../testing/harness.ts';
import { dawdlingStore } from '../testing/stores.ts';

const auth = AuthService.method;
const admin = DirectoryAdminService.method;

describe('refreshing', () => {
  let d: Directory;
  let id: string;
  let tokens: TokenPair;
  const refresh = async (refreshToken: string, target = d.module) =>
    (await d.call(auth.refresh, { refreshToken }, undefined, target)).tokens as TokenPair;
  const sidOf = (token: string) => token.split('.')[1] as string;

  beforeEach(async () => {
    d = await startDirectory({ refreshesPerMinute: 1000 });
    id = await d.person('alice@hospital.example');
    tokens = (await d.signIn('alice@hospital.example')).tokens as TokenPair;
  });
  afterEach(() => d.close());

  it('gives a new pair of the same sign-in', async () => {
    await d.clock.advance(60_000);
    const next = await refresh(tokens.refreshToken);
    assert.notEqual(next.refreshToken, tokens.refreshToken);
    assert.equal(next.refreshExpiresMs, BigInt(d.clock.now() + 14 * 86_400_000));
    const { principal } = await d.as(next.accessToken);
    assert.ok(principal.kind === 'person' && principal.id === id && principal.signInId === sidOf(tokens.refreshToken));
  });

  it('by twenty at once with the same token gives all the same successor', async () => {
    const replicas = [d.module, d.replica({}, dawdlingStore(d.store, 1)), d.replica({}, dawdlingStore(d.store, 2))];
    const pairs = await Promise.all(
      Array.from({ length: 20 }, (_, i) => refresh(tokens.refreshToken, replicas[i % 3] as typeof d.module)),
    );
    assert.equal(new Set(pairs.map(pair => pair.refreshToken)).size, 1);
    assert.notEqual(pairs[0]?.refreshToken, tokens.refreshToken);
    assert.equal((await d.collection(signIns).get(sidOf(tokens.refreshToken)))?.generation, 1);
    const metrics = await d.metrics.render();
    assert.match(metrics, /parley_directory_refreshes_total\{outcome="rotated"\} 1\n/);
    assert.match(metrics, /parley_directory_refreshes_total\{outcome="repeated"\} 19\n/);
    assert.ok((await refresh(pairs[7]?.refreshToken as string)).accessToken);
  });

  it('with the immediate predecessor works for 30 seconds, then ends the sign-in', async () => {
    const next = await refresh(tokens.refreshToken);
    await d.clock.advance(30_000);
    assert.equal((await refresh(tokens.refreshToken)).refreshToken, next.refreshToken);
    await d.clock.advance(1);
    d.changes.length = 0;
    await assert.rejects(refresh(tokens.refreshToken), refusal('directory.refresh_reused'));
    assert.deepEqual(d.changes[0]?.event.endedSignInIds, [sidOf(tokens.refreshToken)]);
    assert.equal(d.changes[0]?.personId, id);
    await assert.rejects(refresh(next.refreshToken), refusal('directory.refresh_reused'));
    assert.ok(d.log.some(l => l.event === 'directory.refresh.reused' && l.fields.personId === id));
    assert.match(await d.metrics.render(), /parley_directory_refreshes_total\{outcome="reused"\} 1/);
    assert.ok((await d.signIn('alice@hospital.example')).tokens, 'he may sign in again');
  });

  it('with an older token ends the sign-in at once, and no other', async () => {
    const other = (await d.signIn('alice@hospital.example')).tokens as TokenPair;
    const second = await refresh(tokens.refreshToken);
    const third = await refresh(second.refreshToken);
    await assert.rejects(refresh(tokens.refreshToken), refusal('directory.refresh_reused'));
    await assert.rejects(refresh(third.refreshToken), refusal('directory.refresh_reused'));
    assert.ok(await refresh(other.refreshToken));
  });

  it('with an invented token is refused and ends nothing, though the sign-in be known', async () => {
    const invented = `prt1.${sidOf(tokens.refreshToken)}.${randomBytes(48).toString('base64url')}`;
    await assert.rejects(refresh(invented), refusal('directory.refresh_invalid', 'refresh_token'));
    await assert.rejects(
      refresh(`prt1.nobody.${randomBytes(48).toString('base64url')}`),
      refusal('directory.refresh_invalid'),
    );
    await assert.rejects(refresh('x'), refusal('directory.refresh_invalid'));
    assert.ok(await refresh(tokens.refreshToken));
  });

  it('ends 14 days after the last time and 90 days after the first', async () => {
    const day = 86_400_000;
    let current = tokens.refreshToken;
    for (let i = 0; i < 6; i++) {
      await d.clock.advance(13 * day);
      current = (await refresh(current)).refreshToken;
    }
    await d.clock.advance(12 * day);
    await assert.rejects(refresh(current), refusal('directory.sign_in_over'));
    const fresh = (await d.signIn('alice@hospital.example')).tokens as TokenPair;
    await d.clock.advance(14 * day);
    await assert.rejects(refresh(fresh.refreshToken), refusal('directory.sign_in_over'));
  });

  it('carries the roles and the duty to change the password as they are now', async () => {
    await d.call(admin.setRoles, { person: id, roles: [Role.AUDITOR] }, administrator());
    const { principal } = await d.as((await refresh(tokens.refreshToken)).accessToken);
    assert.ok(principal.kind === 'person');
    assert.deepEqual(principal.roles, [Role.AUDITOR]);
  });

  it('is over for whoever is disabled, also when he is enabled again', async () => {
    await d.person('root@hospital.example', { roles: [Role.ADMINISTRATOR] });
    await d.call(admin.setAccountState, { person: id, state: AccountState.DISABLED }, administrator());
    await assert.rejects(refresh(tokens.refreshToken), refusal('directory.sign_in_over'));
    await d.call(admin.setAccountState, { person: id, state: AccountState.ENABLED }, administrator());
    await assert.rejects(refresh(tokens.refreshToken), refusal('directory.sign_in_over'));
  });

  it('too often is refused with the time to wait', async () => {
    const strict = d.replica({ refreshesPerMinute: 2 });
    await refresh(tokens.refreshToken, strict);
    await refresh(tokens.refreshToken, strict);
    await assert.rejects(refresh(tokens.refreshToken, strict), (error: { retryAfterMs?: number }) => {
      assert.equal(error.retryAfterMs, 30_000);
      return refusal('directory.refresh_rate')(error);
    });
  });

  it('leaves nothing in the database from which a token could be made', async () => {
    const next = await refresh(tokens.refreshToken);
    const stored = await d.collection(signIns).get(sidOf(tokens.refreshToken));
    const text = JSON.stringify(stored, (_k, v) =>
      v instanceof Uint8Array ? Buffer.from(v).toString('base64url') : v,
    );
    for (const pair of [tokens, next]) {
      const secret = Buffer.from(pair.refreshToken.split('.')[2] as string, 'base64url').subarray(0, 32);
      assert.ok(!text.includes(secret.toString('base64url')));
      assert.ok(text.includes(createHash('sha256').update(secret).digest('base64url')));
    }
  });
});

describe('signing out', () => {
  let d: Directory;
  let one: TokenPair;
  let two: TokenPair;
  const signOut = (refreshToken: string, everywhere = false) => d.call(auth.signOut, { refreshToken, everywhere });
  const over = async (pair: TokenPair) => {
    const sid = pair.refreshToken.split('.')[1] as string;
    const { ended } = await d.call(DirectoryInternalService.method.checkSignIns, { signInIds: [sid] });
    return ended.includes(sid);
  };
  beforeEach(async () => {
    d = await startDirectory();
    await d.person('alice@hospital.example');
    one = (await d.signIn('alice@hospital.example')).tokens as TokenPair;
    two = (await d.signIn('alice@hospital.example')).tokens as TokenPair;
    d.changes.length = 0;
  });
  afterEach(() => d.close());

  it('ends this sign-in and says so, and may be repeated', async () => {
    await signOut(one.refreshToken);
    await signOut(one.refreshToken);
    assert.deepEqual([await over(one), await over(two)], [true, false]);
    assert.equal(d.changes.length, 1);
    assert.deepEqual(d.changes[0]?.event.endedSignInIds, [one.refreshToken.split('.')[1]]);
  });

  it('everywhere ends all of them', async () => {
    await signOut(one.refreshToken, true);
    await signOut(one.refreshToken, true);
    assert.deepEqual([await over(one), await over(two)], [true, true]);
    assert.deepEqual(
      d.changes.map(c => c.event.allSignInsEnded),
      [true],
    );
    assert.ok(!(await over((await d.signIn('alice@hospital.example')).tokens as TokenPair)));
  });

  it('everywhere with an old copy of a token ends only its own sign-in', async () => {
    let newest = one.refreshToken;
    for (let i = 0; i < 2; i++) {
      newest = (await d.call(auth.refresh, { refreshToken: newest })).tokens?.refreshToken as string;
    }
    await signOut(one.refreshToken, true);
    assert.deepEqual([await over(one), await over(two)], [true, false]);
  });

  it('with an invented token ends nothing', async () => {
    const sid = one.refreshToken.split('.')[1];
    const invented = `prt1.${sid}.${randomBytes(48).toString('base64url')}`;
    await assert.rejects(signOut(invented, true), refusal('directory.refresh_invalid'));
    assert.equal(await over(one), false);
    await signOut(`prt1.long-forgotten.${randomBytes(48).toString('base64url')}`);
  });

  it('by an administrator ends all sign-ins of a person', async () => {
    await d.call(admin.signOutPerson, { person: 'alice@hospital.example' }, administrator([Role.HELP_DESK]));
    assert.deepEqual([await over(one), await over(two)], [true, true]);
    assert.equal(d.changes[0]?.event.allSignInsEnded, true);
  });
});

describe('changing the password', () => {
  const newPassword = 'mountains in the morning';
  let d: Directory;
  let one: TokenPair;
  let two: TokenPair;
  beforeEach(async () => {
    d = await startDirectory({ lockoutAttempts: 2 });
    await d.person('alice@hospital.example');
    one = (await d.signIn('alice@hospital.example')).tokens as TokenPair;
    two = (await d.signIn('alice@hospital.example')).tokens as TokenPair;
  });
  afterEach(() => d.close());
  const change = async (currentPassword: string, password: string, pair = one) =>
    (await d.call(auth.changePassword, { currentPassword, newPassword: password }, await d.as(pair.accessToken)))
      .tokens;

  it('ends all earlier sign-ins and gives tokens of a new one', async () => {
    const fresh = await change(goodPassword, newPassword);
    const refresh = (refreshToken: string) => d.call(auth.refresh, { refreshToken });
    await assert.rejects(refresh(one.refreshToken), refusal('directory.sign_in_over'));
    await assert.rejects(refresh(two.refreshToken), refusal('directory.sign_in_over'));
    assert.ok(await refresh(fresh?.refreshToken as string));
    await assert.rejects(d.signIn('alice@hospital.example'), refusal('directory.sign_in_refused'));
    assert.ok((await d.signIn('alice@hospital.example', newPassword)).tokens);
  });

  it('fulfils the duty to change it', async () => {
    const person = 'alice@hospital.example';
    await d.call(admin.resetPassword, { person, newPassword }, administrator());
    const { tokens } = await d.signIn(person, newPassword);
    const fresh = await change(newPassword, 'rivers in the evening', tokens as TokenPair);
    const { principal } = await d.as(fresh?.accessToken as string);
    assert.ok(principal.kind === 'person' && !principal.passwordChangeRequired);
  });

  it('needs the present one, counts wrong ones and locks', async () => {
    await assert.rejects(
      change('a wrong password', newPassword),
      refusal('directory.password_wrong', 'current_password'),
    );
    await assert.rejects(change('a wrong password', newPassword), refusal('directory.password_wrong'));
    await assert.rejects(change(goodPassword, newPassword), refusal('directory.sign_in_locked'));
  });

  it('refuses what is short, easy to guess or the same', async () => {
    await assert.rejects(change(goodPassword, 'short'), refusal('directory.password_short', 'new_password'));
    await assert.rejects(
      change(goodPassword, 'alice@hospital.example'),
      refusal('directory.password_weak', 'new_password'),
    );
    await assert.rejects(change(goodPassword, goodPassword), refusal('directory.password_unchanged', 'new_password'));
  });

  it('is not possible with the access token of a sign-in that is over', async () => {
    await d.call(auth.signOut, { refreshToken: one.refreshToken });
    await assert.rejects(change(goodPassword, newPassword), refusal('directory.sign_in_over'));
  });

  it('twice at once happens once', async () => {
    const results = await Promise.allSettled([
      change(goodPassword, newPassword),
      change(goodPassword, 'another new password', two),
    ]);
    assert.deepEqual(results.map(r => r.status).sort(), ['fulfilled', 'rejected']);
    const { reason } = results.find(r => r.status === 'rejected') as PromiseRejectedResult;
    assert.ok(
      ['directory.busy', 'directory.sign_in_over', 'directory.password_wrong'].includes(reason.code),
      reason.code,
    );
  });
});
