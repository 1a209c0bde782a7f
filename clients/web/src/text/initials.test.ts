import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { initialsOf } from './initials.ts';

describe('initials', () => {
  it('stand for a name in any script', () => {
    for (const [name, initials] of [
      ['Tom Okafor', 'TO'],
      ['Ana Maria de Souza', 'AS'],
      ['Cher', 'C'],
      ['林美玲', '美玲'],
      ['歐陽娜娜', '娜娜'],
      ['林', '林'],
      ['王 怡君', '怡君'],
      ['林美玲 (Mei Lin)', '美玲'],
      ['مريم العلي', 'ما'],
      ['  van  Dyke ', 'VD'],
      ['Émile Zola', 'ÉZ'],
      ['🙂', ''],
      ['', ''],
      ['Tom Okafor (ext.)', 'TO'],
    ] as const)
      assert.equal(initialsOf(name), initials, name);
  });
});
