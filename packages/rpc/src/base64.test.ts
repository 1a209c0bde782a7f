import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { decodeBase64 } from './base64.ts';

const decode = (text: string) => decodeBase64(Buffer.from(text, 'latin1'))?.toString('hex');

describe('base64 of requests', () => {
  it('is read whatever its length', () => {
    for (let n = 0; n < 50; n++) {
      const bytes = randomBytes(n);
      assert.equal(decode(bytes.toString('base64')), bytes.toString('hex'));
    }
  });

  it('is read from padded pieces cut at every byte', () => {
    const bytes = randomBytes(11);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const text = bytes.subarray(0, cut).toString('base64') + bytes.subarray(cut).toString('base64');
      assert.equal(decode(text), bytes.toString('hex'));
    }
  });

  for (const text of [
    'A',
    'AA',
    'AAA',
    'AAAAA',
    '====',
    'A===',
    '=AAA',
    'AA=A',
    'AAA!',
    'AA A',
    'AA\nA',
    'AA-_',
    'é===',
  ]) {
    it(`is refused when it is '${text}'`, () => assert.equal(decode(text), undefined));
  }

  it('is refused in time proportional to its length', () => {
    // A pattern that tries every way to cut this into pieces would not end.
    assert.equal(decode(`${'A'.repeat(1_000_003)}!`), undefined);
  });
});
