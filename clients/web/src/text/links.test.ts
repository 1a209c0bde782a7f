import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findLinks } from './links.ts';

const linksOf = (text: string) => findLinks(text).flatMap(part => (part.href === undefined ? [] : [part.text]));

describe('links of a text', () => {
  it('end where the sentence goes on', () => {
    for (const [text, ...links] of [
      ['see https://a.example/x.', 'https://a.example/x'],
      ['(https://a.example/wiki/B_(c))', 'https://a.example/wiki/B_(c)'],
      ['is it http://a.example/?q=1&r=[2]?!', 'http://a.example/?q=1&r=[2]'],
      ['「https://a.example/表單」請填寫', 'https://a.example/表單'],
      ['請看https://a.example/x，謝謝', 'https://a.example/x'],
      ['https://a.example/x。', 'https://a.example/x'],
      ['<https://a.example/x>', 'https://a.example/x'],
      ['"https://a.example/x"', 'https://a.example/x'],
      ['([see https://a.example/x)].', 'https://a.example/x'],
      ['(https://a.example/f(1)[2]).', 'https://a.example/f(1)[2]'],
      ['www.a.example and https://b.example', 'www.a.example', 'https://b.example'],
      ['http://localhost:7380/c/x', 'http://localhost:7380/c/x'],
      ['HTTPS://A.EXAMPLE/X', 'HTTPS://A.EXAMPLE/X'],
      ['https://例子.example/路徑?查=詢', 'https://例子.example/路徑?查=詢'],
    ] as const)
      assert.deepEqual(linksOf(text), links, text);
  });

  it('are only those a person should be led to', () => {
    for (const text of [
      'javascript:alert(1)',
      'data:text/html,x',
      'ftp://a.example/x',
      'https://',
      'https://intranet',
      'https://bank.example@elsewhere.example/',
      'xhttps://a.example',
      'mail@www.a.example',
      'www.',
    ])
      assert.deepEqual(linksOf(text), [], text);
  });

  it('lead where they say, over https when nothing is said', () => {
    assert.equal(findLinks('www.a.example/x')[0]?.href, 'https://www.a.example/x');
    assert.equal(findLinks('https://аррӏе.example')[0]?.href, 'https://xn--80ak6aa92e.example/');
  });

  it('do not reach over marks that change the direction', () => {
    assert.deepEqual(linksOf('https://a.example/\u202egpj.exe'), ['https://a.example/']);
    assert.deepEqual(linksOf('https://a.example/a\u200bb'), ['https://a.example/a']);
  });

  it('leave the text as it is when joined', () => {
    for (const text of ['', 'plain', 'a https://a.example. b www.b.example, c', '👩🏽‍⚕️ https://x.example/👍'])
      assert.equal(
        findLinks(text)
          .map(part => part.text)
          .join(''),
        text,
      );
  });

  it('are found in no time, whatever the text', () => {
    const began = process.cpuUsage();
    for (const text of [
      'https://'.repeat(20_000),
      `https://a.example/${'('.repeat(100_000)}`,
      `https://a.example/${')'.repeat(100_000)}`,
    ])
      findLinks(text);
    // The work it takes, not the time: the machine may be busy with something else.
    const { user } = process.cpuUsage(began);
    assert.ok(user < 1_000_000, `${user} µs`);
  });
});
