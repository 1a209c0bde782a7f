import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMatcher } from './matcher.ts';

describe('matcher', () => {
  it('finds what a plain comparison of tokens finds, for every pattern and subject of three letters', () => {
    const tokens = ['a', 'b', '*'];
    const patterns = ['>', ...combine(tokens), ...combine(tokens).map(p => `${p}.>`)];
    const matcher = createMatcher<string>();
    for (const pattern of patterns) matcher.add(pattern, pattern);
    for (const subject of combine(['a', 'b'])) {
      const expected = patterns.filter(p => plainlyMatches(p, subject));
      assert.deepEqual([...matcher.match(subject)].sort(), expected.sort(), subject);
    }
    for (const pattern of patterns) matcher.remove(pattern, pattern);
    for (const subject of combine(['a', 'b'])) assert.deepEqual(matcher.match(subject), []);
  });

  it('leaves an array it gave out as it was', () => {
    const matcher = createMatcher<number>();
    matcher.add('a', 1);
    const before = matcher.match('a');
    matcher.add('a', 2);
    matcher.remove('a', 1);
    assert.deepEqual(before, [1]);
    assert.deepEqual(matcher.match('a'), [2]);
  });
});

function combine(tokens: readonly string[]): string[] {
  const one = [...tokens];
  const two = one.flatMap(head => tokens.map(tail => `${head}.${tail}`));
  return [...one, ...two, ...two.flatMap(head => tokens.map(tail => `${head}.${tail}`))];
}

function plainlyMatches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.');
  const tokens = subject.split('.');
  if (wanted.at(-1) === '>') {
    const head = wanted.slice(0, -1);
    return tokens.length > head.length && head.every((t, i) => t === '*' || t === tokens[i]);
  }
  return wanted.length === tokens.length && wanted.every((t, i) => t === '*' || t === tokens[i]);
}
