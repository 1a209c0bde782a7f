import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { en, type TextKey } from './en.ts';
import { fill, pieces, refusalText } from './texts.ts';
import { zhTW } from './zh-tw.ts';

const root = resolve(import.meta.dirname, '../../../..');
const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1]).sort();

/** Codes that no action on a page can meet, by why. A new code belongs here or into the catalogues. */
const NOT_MET: Readonly<Record<string, RegExp>> = {
  'only administrators and compliance officers meet them':
    /^(archive\..*|presence\.role_lost|directory\.(domain_foreign|address_taken|too_many_addresses|request_reused|last_administrator|too_many_administrators|roles_need_administrator|target_has_roles|cursor_invalid|too_many|person_required|person_deleted|photo_invalid|photo_large|external_id_conflict|manager_not_found|manager_self|group_not_found|group_exists|group_full|role_lost))$/,
  'a picture that is not there is not missed': /^directory\.no_photo$/,
  'only services meet them': /^presence\.no_lease$/,
  'only a program that breaks the contract meets them':
    /^(im\.(message_id_invalid|recipient_invalid|format_unsupported|importance_unsupported|after_key_invalid|cursor_invalid|limit_invalid|conversation_invalid)|presence\.(invalid_id|required|unknown_value|out_of_range|too_many)|session\.(invalid_id|invalid_client_version|unknown_value|too_many_ids)|rpc\.(unsupported_content_type|unsupported_encoding|unexpected_compression|not_one_message|malformed|too_deep|invalid_deadline))$/,
};

function codesOf(pattern: string, code: RegExp): string[] {
  const files = globSync(pattern, { cwd: root, exclude: path => path.includes('.test.') });
  assert.ok(files.length > 0, `${pattern} finds no file`);
  return files.flatMap(file => [...readFileSync(join(root, file), 'utf8').matchAll(code)].map(m => m[1] as string));
}

describe('the catalogues of texts', () => {
  it('have the same keys, with the same values to fill in', () => {
    assert.deepEqual(Object.keys(zhTW).sort(), Object.keys(en).sort());
    for (const [key, text] of Object.entries(en)) {
      const translated = zhTW[key as TextKey];
      assert.notEqual(translated.trim(), '', key);
      assert.deepEqual(names(translated), names(text), key);
    }
  });

  it('are translated: no English words are left in Chinese texts', () => {
    const known = /Parley|Firefox|Chrome|Edge|Safari|Enter|Shift|\{\w+\}/g;
    for (const [key, text] of Object.entries(zhTW))
      if (/[A-Za-z]{2}/.test(text.replaceAll(known, ''))) assert.fail(`${key}: ${text}`);
    const same = Object.keys(en).filter(key => en[key as TextKey] === zhTW[key as TextKey]);
    assert.deepEqual(same, ['app.name', 'app.unread', 'app.title']);
  });

  it('have a text for every code that a person can meet', () => {
    const declared = /^ {2}'([a-z_]+\.[a-z_]+)': \{/gm;
    const codes = new Set([
      ...codesOf('services/*/src/errors.ts', declared),
      ...codesOf('packages/rpc/src/rpc-errors.ts', declared),
      ...codesOf('packages/auth/src/errors.ts', declared),
      ...codesOf('clients/sdk/src/*.ts', /'(client\.[a-z_]+)'/g),
    ]);
    assert.ok(codes.size > 100, `only ${codes.size} codes found`);
    const excused = (code: string) => Object.values(NOT_MET).some(pattern => pattern.test(code));
    const texts = (code: string) => Object.hasOwn(en, `error.${code}`);
    assert.deepEqual(
      [...codes].filter(code => !texts(code) && !excused(code)),
      [],
      'codes without a text',
    );
    assert.deepEqual(
      [...codes].filter(code => texts(code) && excused(code)),
      [],
      'codes that are excused and have a text',
    );
    const described = Object.keys(en)
      .filter(key => /^error\.\w+\.\w+$/.test(key) && !key.startsWith('error.web.'))
      .map(key => key.slice('error.'.length));
    assert.deepEqual(
      described.filter(code => !codes.has(code)),
      [],
      'texts of codes that are gone',
    );
  });

  it('are all used', () => {
    const sources = globSync('clients/web/src/**/*.{ts,tsx}', { cwd: root })
      .filter(file => !/\.test\.|i18n\/(en|zh-tw)\.ts$/.test(file))
      .map(file => readFileSync(join(root, file), 'utf8'))
      .join('\n');
    const composed = /^(error|presence|activity)\./;
    const unused = Object.keys(en).filter(key => !composed.test(key) && !sources.includes(`'${key}'`));
    assert.deepEqual(unused, []);
  });
});

describe('a text', () => {
  it('is filled with values, which are not looked at again', () => {
    assert.equal(fill('{a} and {b}', { a: '{b}', b: 2 }), '{b} and 2');
    assert.equal(fill('{a}', {}), '{a}');
  });

  it('is taken apart for values that are elements', () => {
    assert.deepEqual(pieces('with {name}!'), [
      { text: 'with ', value: false },
      { text: 'name', value: true },
      { text: '!', value: false },
    ]);
  });

  it('says what was refused and for how long, and names a code it does not know', () => {
    const locked = { code: 'directory.sign_in_rate', params: {}, retryAfterMs: 61_000 };
    assert.equal(refusalText(en, locked), 'Too many attempts to sign in. Try again in 61 s.');
    assert.equal(refusalText(zhTW, locked), '嘗試登入的次數過多。請在 61 秒後再試。');
    assert.match(refusalText(en, { code: 'im.of_tomorrow', params: {} }), /im\.of_tomorrow/);
    assert.match(refusalText(en, { code: 'im.text_too_long', params: { limit: '8000' } }), /8000/);
    assert.match(refusalText(en, { code: 'toString', params: {} }), /toString/);
  });
});
