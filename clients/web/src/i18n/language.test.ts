import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatLocale, nearest, pickLanguage } from './language.ts';

describe('the language', () => {
  it('is the first wish that can be met', () => {
    assert.equal(pickLanguage([undefined, 'de-CH', 'zh-TW', 'en']), 'zh-TW');
    assert.equal(pickLanguage([null, '', 'fr']), 'en');
    assert.equal(pickLanguage(['en-GB', 'zh-TW']), 'en');
  });

  it('is found for every way to write Chinese', () => {
    for (const tag of ['zh', 'zh-Hant', 'zh-HK', 'zh_TW', 'ZH-tw']) assert.equal(nearest(tag), 'zh-TW');
    assert.equal(nearest('yue'), undefined);
  });

  it('writes times as the browser’s own variant does', () => {
    assert.equal(formatLocale('en', ['zh-TW', 'en-GB', 'en-US']), 'en-GB');
    assert.equal(formatLocale('zh-TW', ['zh-CN', 'en']), 'zh-TW');
    assert.equal(formatLocale('en', ['de']), 'en');
  });
});
