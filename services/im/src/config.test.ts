import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { imConfigSchema } from './config.ts';

describe('the configuration of im', () => {
  it('has a default and a description for every setting', () => {
    const config = imConfigSchema.parse({});
    for (const [name, field] of Object.entries(imConfigSchema.shape)) {
      assert.notEqual(config[name as keyof typeof config], undefined, name);
      assert.ok((field.description ?? '').length > 20, name);
    }
  });

  it('refuses what is out of range, unknown or contradicts itself, naming the path', () => {
    const paths = (input: object) => imConfigSchema.safeParse(input).error?.issues.map(issue => issue.path.join('.'));
    assert.deepEqual(paths({ maxTextCharacters: 8_001, logDeadlineMs: 1 }), ['maxTextCharacters', 'logDeadlineMs']);
    assert.deepEqual(imConfigSchema.safeParse({ tpyo: 1 }).success, false);
    assert.deepEqual(paths({ cursorLagMs: 5_000 }), ['cursorLagMs']);
    assert.deepEqual(paths({ peopleStaleMs: 1_000 }), ['peopleRefreshMs']);
    assert.deepEqual(paths({ refusalKeepMs: 3_600_000 }), ['refusalKeepMs']);
  });
});
