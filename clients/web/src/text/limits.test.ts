import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { characters, sendable } from './limits.ts';

describe('what can be sent', () => {
  it('has line feeds alone, no control characters, no blank ends', () => {
    assert.equal(sendable('a\r\nb\rc\u0000\u0085\td \n\n'), 'a\nb\nc\td');
    assert.equal(sendable(' \n\t '), '');
    assert.equal(sendable('\n\n  indented'), '  indented');
    assert.equal(sendable('\ud800x'), '\ufffdx');
    assert.equal(sendable('早安 👩🏽‍⚕️'), '早安 👩🏽‍⚕️');
  });

  it('is counted in code points, as the server does', () => {
    assert.equal(characters('a👍林'), 3);
  });
});
