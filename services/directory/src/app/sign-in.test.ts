import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Role } from '@parley/contracts';
import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { createCallContext } from '@parley/rpc';
import { accounts, attempts, signIns } from '../collections.ts';
import { administrator, type Directory, goodPassword, refusal, startDirectory } from '../testing/harness.ts';
import { countingStore } from '../testing/stores.ts';

const admin = DirectoryAdminService.method;
const wrong = 'not the right password';

describe('signing in', () => {
  let d: Directory;
  beforeEach(async () => {
    d = await startDirectory();
  });
  afterEach(() => d.close());

  it('gives tokens that say who it is, and the entry of the person', async () => {
    const id = await d.person('alice@hospital.example', { roles: [Role.HELP_DESK] });
    const answer = await d.signIn(' ALICE@hospital.example ');
    assert.equal(answer.person?.id, id);
    assert.deepEqual(answer.roles, [Role.HELP_DESK]);
    assert.equal(answer.passwordChangeRequired, false);
    const { principal } = await d.as(answer.tokens?.accessToken as string);
    assert.ok(principal.kind === 'person' && principal.id === id);
    assert.deepEqual(principal.roles, [Role.HELP_DESK]);
    assert.ok(await d.collection(signIns).get(principal.signInId));
    assert.equal(answer.tokens?.accessExpiresMs, BigInt(d.clock.now() + 600_000));
    assert.equal(answer.tokens?.refreshExpiresMs, BigInt(d.clock.now() + 14 * 86_400_000));
    assert.equal(answer.tokens?.serverTimeMs, BigInt(d.clock.now()));
  });

  it('is refused in the same words for a wrong password, an unknown address and a disabled or unfinished account', async () => {
    await d.person('alice@hospital.example');
    await d.person('bob@hospital.example');
    await d.call(
      admin.setAccountState,
      { person: 'bob@hospital.example', state: AccountState.DISABLED },
      administrator(),
    );
    await d.call(
      admin.createPerson,
      { requestId: crypto.randomUUID(), address: 'carl@hospital.example', displayName: 'Carl' },
      administrator(),
    );
    const refusals = await Promise.all(
      [
        d.signIn('alice@hospital.example', wrong),
        d.signIn('nobody@hospital.example'),
        d.signIn('bob@hospital.example'),
        d.signIn('carl@hospital.example'),
        d.signIn('alice@elsewhere.example'),
      ].map(promise =>
        promise.then(
          () => assert.fail('let in'),
          (error: Error) => ({ ...error, message: error.message }),
        ),
      ),
    );
    assert.equal(refusals[0]?.['code' as never], 'directory.sign_in_refused');
    for (const other of refusals) assert.deepEqual(other, refusals[0]);
    const reasons = d.log.filter(l => l.event === 'directory.sign_in.refused').map(l => l.fields.reason);
    const expected = ['disabled', 'no_password', 'unknown_address', 'unknown_address', 'wrong_password'];
    assert.deepEqual([...reasons].sort(), expected);
  });

  it('never logs an address, a password or a token', async () => {
    await d.person('alice@hospital.example');
    const { tokens } = await d.signIn('alice@hospital.example');
    await assert.rejects(d.signIn('alice@hospital.example', wrong));
    await assert.rejects(d.signIn('nobody@hospital.example'));
    const text = JSON.stringify(d.log);
    for (const secret of ['alice@', 'nobody@', goodPassword, wrong, tokens?.accessToken, tokens?.refreshToken]) {
      assert.ok(!text.includes(secret as string), secret);
    }
  });

  it('is not possible with a former address', async () => {
    await d.person('alice@hospital.example');
    const primaryAddress = 'alice.wu@hospital.example';
    await d.call(admin.renamePerson, { person: 'alice@hospital.example', primaryAddress }, administrator());
    await assert.rejects(d.signIn('alice@hospital.example'), refusal('directory.sign_in_refused'));
    assert.ok((await d.signIn(primaryAddress)).tokens);
  });

  it('hashes at a new cost the next time the password is at hand', async () => {
    const id = await d.person('alice@hospital.example');
    const replica = d.replica({ hashPasses: 2 });
    const before = (await d.collection(accounts).get(id))?.password;
    await d.call(
      AuthService.method.signIn,
      { address: 'alice@hospital.example', password: goodPassword },
      undefined,
      replica,
    );
    const after = (await d.collection(accounts).get(id))?.password as string;
    assert.notEqual(after, before);
    assert.match(after, /t=2/);
    assert.ok((await d.signIn('alice@hospital.example')).tokens, 'the other cost still verifies');
  });

  it('says when the password must be changed', async () => {
    await d.person('alice@hospital.example');
    const newPassword = 'a password from the help desk';
    await d.call(admin.resetPassword, { person: 'alice@hospital.example', newPassword }, administrator());
    const answer = await d.signIn('alice@hospital.example', newPassword);
    assert.equal(answer.passwordChangeRequired, true);
    const { principal } = await d.as(answer.tokens?.accessToken as string);
    assert.ok(principal.kind === 'person' && principal.passwordChangeRequired);
  });
});

describe('wrong passwords', () => {
  const settings = { lockoutAttempts: 3, lockoutWindowMs: 60_000, lockoutDurationMs: 120_000 };
  let d: Directory;
  beforeEach(async () => {
    d = await startDirectory(settings);
  });
  afterEach(() => d.close());
  const guess = async (address: string, times: number) => {
    for (let i = 0; i < times; i++) {
      await assert.rejects(d.signIn(address, wrong), refusal('directory.sign_in_refused'));
    }
  };

  it('lock sign-in for a while, with the time to wait, also for the right password', async () => {
    const id = await d.person('alice@hospital.example');
    await guess('alice@hospital.example', 3);
    await d.clock.advance(20_000);
    await assert.rejects(d.signIn('alice@hospital.example'), (error: { retryAfterMs?: number }) => {
      assert.equal(error.retryAfterMs, 100_000);
      return refusal('directory.sign_in_locked')(error);
    });
    const { account } = await d.call(admin.getAccount, { person: id }, administrator());
    assert.equal(account?.lockedUntilMs, BigInt(d.clock.now() + 100_000));
    await d.clock.advance(100_000);
    assert.ok((await d.signIn('alice@hospital.example')).tokens);
    const later = await d.call(admin.getAccount, { person: id }, administrator());
    assert.equal(later.account?.lockedUntilMs, 0n);
    assert.match(await d.metrics.render(), /parley_directory_lockouts_total 1/);
  });

  it('of an address that is nobody’s lock alike', async () => {
    await guess('nobody@hospital.example', 3);
    await assert.rejects(d.signIn('nobody@hospital.example'), refusal('directory.sign_in_locked'));
  });

  it('count over all addresses of a person and in every replica', async () => {
    await d.module.ensurePerson({
      address: 'alice@hospital.example',
      otherAddresses: ['ac@hospital.example'],
      displayName: 'Alice',
      password: goodPassword,
    });
    const replica = d.replica();
    await guess('alice@hospital.example', 2);
    const request = { address: 'ac@hospital.example', password: wrong };
    await assert.rejects(d.call(AuthService.method.signIn, request, undefined, replica));
    await assert.rejects(d.signIn('ac@hospital.example'), refusal('directory.sign_in_locked'));
  });

  it('are forgotten after a right one and after the window', async () => {
    await d.person('alice@hospital.example');
    await guess('alice@hospital.example', 2);
    await d.signIn('alice@hospital.example');
    await guess('alice@hospital.example', 2);
    await d.clock.advance(60_000);
    await guess('alice@hospital.example', 2);
    assert.ok((await d.signIn('alice@hospital.example')).tokens);
  });

  it('tried in parallel get no more guesses than in a row', async () => {
    const id = await d.person('alice@hospital.example');
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, () => d.signIn('alice@hospital.example', wrong)),
    );
    const codes = results.map(r => (r as PromiseRejectedResult).reason.code as string);
    assert.equal(codes.filter(code => code === 'directory.sign_in_refused').length, 3);
    assert.equal(codes.filter(code => code === 'directory.sign_in_busy').length, 9);
    assert.ok(((await d.collection(attempts).get(`p:${id}`))?.lockedUntilMs ?? 0) > d.clock.now());
  });

  it('are forgiven by an administrator, who unlocks', async () => {
    await d.person('alice@hospital.example');
    await guess('alice@hospital.example', 3);
    const { account } = await d.call(
      admin.unlockAccount,
      { person: 'alice@hospital.example' },
      administrator([Role.HELP_DESK]),
    );
    assert.equal(account?.lockedUntilMs, 0n);
    assert.ok((await d.signIn('alice@hospital.example')).tokens);
  });
});

describe('an unknown address', () => {
  it('costs the same hashes, reads and writes as a wrong password', async () => {
    const counting: { reads: string[] } = { reads: [] };
    const d = await startDirectory({}, store => {
      const counted = countingStore(store);
      counting.reads = counted.reads;
      return counted.store;
    });
    await d.person('alice@hospital.example');
    const measure = async (address: string) => {
      counting.reads.length = 0;
      const before = await hashes(d);
      await assert.rejects(d.signIn(address, wrong), refusal('directory.sign_in_refused'));
      return { reads: [...counting.reads], hashes: (await hashes(d)) - before };
    };
    const known = await measure('alice@hospital.example');
    assert.equal(known.hashes, 1);
    assert.deepEqual(await measure('nobody@hospital.example'), known);
    await d.close();
  });
});

async function hashes(d: Directory): Promise<number> {
  return Number(/parley_directory_password_hash_seconds_count (\d+)/.exec(await d.metrics.render())?.[1]);
}

describe('attempts to sign in', () => {
  it('are limited by address and by peer', async () => {
    const d = await startDirectory({ signInsPerAddressPerMinute: 2, signInsPerPeerPerMinute: 3 });
    await d.person('alice@hospital.example');
    await d.person('bob@hospital.example');
    await d.signIn('alice@hospital.example', goodPassword, '192.0.2.7');
    await d.signIn('alice@hospital.example', goodPassword, '192.0.2.7');
    await assert.rejects(
      d.signIn('alice@hospital.example', goodPassword, '192.0.2.7'),
      refusal('directory.sign_in_rate'),
    );
    await assert.rejects(
      d.signIn('bob@hospital.example', goodPassword, '192.0.2.7'),
      refusal('directory.sign_in_rate'),
    );
    assert.ok((await d.signIn('bob@hospital.example', goodPassword, '192.0.2.8')).tokens);
    await d.clock.advance(30_000);
    assert.ok((await d.signIn('alice@hospital.example', goodPassword, '192.0.2.7')).tokens);
    await d.close();
  });

  it('beyond what can be hashed are refused with the time to wait and counted', async () => {
    const d = await startDirectory({ hashConcurrency: 1, hashQueue: 1 });
    await d.person('alice@hospital.example');
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => d.signIn('alice@hospital.example')));
    const refused = results.filter(r => r.status === 'rejected');
    assert.equal(refused.length, 4);
    for (const r of refused) assert.ok(refusal('directory.sign_in_busy')(r.reason) && r.reason.retryAfterMs > 0);
    assert.match(await d.metrics.render(), /parley_directory_sign_ins_total\{outcome="busy"\} 4/);
    await d.close();
  });

  it('beyond the sign-ins one may have end the oldest', async () => {
    const d = await startDirectory({ signInsPerPerson: 2 });
    await d.person('alice@hospital.example');
    const tokens: string[] = [];
    for (let i = 0; i < 3; i++) {
      tokens.push((await d.signIn('alice@hospital.example')).tokens?.refreshToken as string);
      await d.clock.advance(1000);
    }
    const refresh = (refreshToken: string) => d.call(AuthService.method.refresh, { refreshToken }, createCallContext());
    await assert.rejects(refresh(tokens[0] as string), refusal('directory.sign_in_over'));
    await refresh(tokens[1] as string);
    await refresh(tokens[2] as string);
    await d.close();
  });
});
