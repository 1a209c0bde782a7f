import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sessionConfigSchema } from './config.ts';

const problems = (config: object) =>
  sessionConfigSchema.safeParse(config).error?.issues.map(issue => issue.path.join('.') || issue.code) ?? [];

describe('the configuration', () => {
  it('is complete without a word', () => {
    assert.deepEqual(problems({}), []);
  });

  it('describes every field', () => {
    for (const [name, field] of Object.entries(sessionConfigSchema.shape)) {
      assert.ok((field.description ?? '').length > 20, name);
    }
  });

  it('is refused with the path of what is wrong', () => {
    assert.deepEqual(problems({ heartbeatMs: 1, maxWatches: 1_001 }), ['maxWatches', 'heartbeatMs']);
    assert.deepEqual(problems({ heartBeatMs: 20_000 }), ['unrecognized_keys']);
    assert.deepEqual(problems({ minimumClientVersion: 'new' }), ['minimumClientVersion']);
    assert.deepEqual(problems({ leaseMs: 10_000, leaseRenewMs: 9_000 }), ['leaseRenewMs']);
    assert.deepEqual(problems({ resolveRetryMs: 9_000 }), ['resolveRetryMs']);
  });
});
