import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { normaliseAddress, normaliseDomain } from './address.ts';
import { organisationDomains } from './organisation.ts';

const problem = (input: string) => {
  const result = normaliseAddress(input);
  return result.ok ? result.address : result.problem;
};

describe('addresses', () => {
  it('have one spelling, whatever case, width or composition they are typed in', () => {
    for (const typed of [
      '  Alice@Hospital.Example ',
      'ＡＬＩＣＥ@ｈｏｓｐｉｔａｌ.example',
      'alice@HOSPITAL.EXAMPLE',
    ]) {
      assert.equal(problem(typed), 'alice@hospital.example');
    }
    assert.equal(problem('Zoe\u0308@hospital.example'), 'zoë@hospital.example');
    assert.equal(problem('a@klinik-süd.example'), 'a@xn--klinik-sd-x9a.example');
    assert.equal(problem('a@KLINIK-SÜD.example'), 'a@xn--klinik-sd-x9a.example');
    assert.equal(problem('王小明@hospital.example'), '王小明@hospital.example');
  });

  it('are stable: normalising twice changes nothing', () => {
    for (const typed of ['İ@hospital.example', 'ﬀ@hospital.example', 'ẞ@x.example', 'Ǆ@x.example', 'K@x.example']) {
      const once = problem(typed);
      assert.equal(problem(once), once, typed);
    }
  });

  it('are refused when they are not user@domain', () => {
    const malformed = [
      'alice',
      '@x.example',
      'alice@',
      'a b@x.example',
      'a..b@x.example',
      '.a@x.example',
      'a.@x.example',
    ];
    malformed.push('a@b@x.example', 'a@x..example', 'a@-x.example', 'a@x.example.', 'a@127.0.0.1', 'a@[::1]', 'a@x/y');
    malformed.push(
      'a\u0000@x.example',
      'a\u202e@x.example',
      '"a"@x.example',
      'a@x_y.example',
      'a@2130706433',
      'a@x:80',
    );
    for (const typed of malformed) assert.equal(problem(typed), 'malformed', JSON.stringify(typed));
    assert.equal(problem('  '), 'missing');
  });

  it('are refused beyond 64 bytes before and 320 bytes in all', () => {
    assert.equal(problem(`${'a'.repeat(64)}@x.example`), `${'a'.repeat(64)}@x.example`);
    assert.equal(problem(`${'a'.repeat(65)}@x.example`), 'too_long');
    assert.equal(problem(`${'王'.repeat(22)}@x.example`), 'too_long');
    assert.equal(problem(`a@${'x.'.repeat(200)}example`), 'too_long');
    assert.equal(problem(`a@${'x'.repeat(64)}.example`), 'malformed');
  });
});

describe('domains of the organisation', () => {
  it('are compared in ASCII', () => {
    assert.deepEqual(
      [...organisationDomains(['Klinik-Süd.example', 'HOSPITAL.example'])],
      ['xn--klinik-sd-x9a.example', 'hospital.example'],
    );
  });

  it('that are none are named', () => {
    assert.throws(() => organisationDomains(['hospital.example', 'not a domain']), /not a domain/);
    for (const bad of ['', '10.0.0.1', 'a/b', 'a@b', '*.example']) assert.equal(normaliseDomain(bad), undefined, bad);
  });
});
