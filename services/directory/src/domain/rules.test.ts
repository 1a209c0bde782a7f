import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isAdministrator, newAccount, withPassword, withRoles, withState } from './account.ts';
import { formatHash, isWeakPassword, normalisePassword, parseHash, sameCost } from './password.ts';
import { effectivePolicy, layersVersion, type StoredPolicy } from './policy.ts';
import { mayAdminister } from './roles.ts';
import { hasUnsafeCharacters, languageTag, length, tidy } from './text.ts';
import { nextVersion } from './version.ts';

const account = newAccount({ roles: ['administrator'], password: null, passwordChangeRequired: false, version: 1 });

describe('an account', () => {
  it('ends its sign-ins when it is disabled, not when it is enabled again', () => {
    const disabled = withState(account, 'disabled', 2);
    assert.equal(disabled?.epoch, account.epoch + 1);
    assert.ok(disabled && !isAdministrator(disabled) && isAdministrator(account));
    assert.equal(disabled && withState(disabled, 'enabled', 3)?.epoch, account.epoch + 1);
    assert.equal(withState(account, 'enabled', 2), undefined);
  });

  it('ends its sign-ins with a new password', () => {
    const next = withPassword(account, 'hash', true);
    assert.deepEqual([next.epoch, next.password, next.passwordChangeRequired], [account.epoch + 1, 'hash', true]);
  });

  it('keeps each role once and sees no change in another order', () => {
    const next = withRoles(account, ['viewer', 'administrator', 'viewer'], 2);
    assert.deepEqual(next?.roles, ['administrator', 'viewer']);
    assert.equal(next && withRoles(next, ['viewer', 'administrator'], 3), undefined);
    assert.equal(withRoles(account, ['administrator', 'administrator'], 3), undefined);
  });

  it('that holds a role is for administrators only', () => {
    assert.ok(mayAdminister(['help_desk'], []));
    assert.ok(!mayAdminister(['help_desk', 'user_administrator'], ['viewer']));
    assert.ok(mayAdminister(['administrator'], ['administrator']));
  });
});

describe('a password', () => {
  it('is the same from every keyboard', () => {
    assert.equal(normalisePassword('u\u0308ber\u3000alles'), normalisePassword('über alles'));
    assert.notEqual(normalisePassword('Über alles'), normalisePassword('über alles'));
  });

  it('is refused when it is the name, the address, or a few characters', () => {
    const person = { names: ['Alice Chen', 'alice.chen@hospital.example', 'alice.chen', 'Alice', 'Chen'] };
    for (const weak of [
      'aaaaaaaaaaaa',
      'abababababab',
      'alice.chen@hospital.example',
      'AliceChen2024',
      'alicealicealice',
      'Chen-123456789',
    ]) {
      assert.ok(isWeakPassword(weak, person), weak);
    }
    for (const fine of ['correct horse battery', 'Chen likes mountains', 'xq7!vv-93kd-aa']) {
      assert.ok(!isWeakPassword(fine, person), fine);
    }
  });

  it('has its cost in its hash', () => {
    const cost = { memoryKiB: 19456, passes: 2, parallelism: 1 };
    const text = formatHash({ cost, salt: Buffer.alloc(16, 1), hash: Buffer.alloc(32, 2) });
    assert.match(text, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    const back = parseHash(text);
    assert.ok(back && sameCost(back.cost, cost) && back.salt.length === 16 && back.hash.length === 32);
    assert.ok(!sameCost(cost, { ...cost, passes: 3 }));
    for (const bad of ['', 'plain', text.replace('argon2id', 'argon2i'), text.replace('v=19', 'v=16'), `${text}$`]) {
      assert.equal(parseHash(bad), undefined, bad);
    }
  });
});

describe('policies', () => {
  const on = { archiveInternal: true, archiveExternal: true, critical: false };
  const off = { archiveInternal: false, archiveExternal: false, critical: false };
  const layer = (archiving: typeof on | null, version: number): StoredPolicy => ({ v: 1, archiving, version });
  const none = { person: undefined, site: undefined, global: undefined };

  it('of a person beat those of his site, which beat the global one, which beats the default', () => {
    const all = { person: layer(on, 3), site: layer(off, 2), global: layer(off, 1) };
    assert.deepEqual(effectivePolicy(all, off), { policy: on, scope: 'person', version: 3 });
    assert.equal(effectivePolicy({ ...all, person: undefined }, on).scope, 'site');
    assert.equal(effectivePolicy({ ...all, person: layer(null, 9), site: undefined }, on).scope, 'global');
    assert.deepEqual(effectivePolicy(none, on), { policy: on, scope: 'global', version: 0 });
    assert.deepEqual(effectivePolicy({ ...none, global: layer(null, 7) }, on), {
      policy: on,
      scope: 'global',
      version: 7,
    });
  });

  it('count with their version also after a reset', () => {
    assert.equal(layersVersion({ ...none, person: layer(null, 9), global: layer(on, 4) }), 9);
  });
});

describe('versions', () => {
  it('grow with time, beyond everything known, and put what concerns everybody last in its millisecond', () => {
    assert.equal(nextVersion(5, 0, false), 5000);
    assert.equal(nextVersion(5, 5000, false), 5001);
    assert.equal(nextVersion(5, 9000, false), 9001);
    assert.ok(nextVersion(5, 0, true) > nextVersion(5, 5010, false));
    assert.ok(nextVersion(6, 0, false) > nextVersion(5, 0, true));
    assert.ok(Number.isSafeInteger(nextVersion(Date.UTC(2200, 0, 1), 0, true)));
  });
});

describe('texts', () => {
  it('are tidied and counted as people count', () => {
    assert.equal(tidy('  Zoe\u0308 \u3000 Wu '), 'Zoë Wu');
    assert.equal(length('👩🏽a'), 3);
    assert.ok(
      hasUnsafeCharacters('a\u202eb') && hasUnsafeCharacters('a\nb') && !hasUnsafeCharacters('王小明 – Ärztin'),
    );
  });

  it('name languages in one way', () => {
    assert.equal(languageTag('zh-tw'), 'zh-TW');
    assert.equal(languageTag('not a tag'), undefined);
  });
});
