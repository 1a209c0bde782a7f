import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { presenceConfigSchema } from './config.ts';

describe('the configuration', () => {
  it('has a default and a description for every field', () => {
    const config = presenceConfigSchema.parse({});
    for (const [name, field] of Object.entries(presenceConfigSchema.shape)) {
      assert.ok(name in config, name);
      assert.ok((field.description ?? '').length > 20, name);
    }
    assert.deepEqual([config.maxEndpoints, config.graceMs, config.inactiveAfterMs], [8, 60_000, 300_000]);
  });

  it('refuses what makes no sense', () => {
    const refused = (value: object) => assert.equal(presenceConfigSchema.safeParse(value).success, false);
    for (const maxEndpoints of [0, 65, 1.5]) refused({ maxEndpoints });
    refused({ sweepIntervalMs: 1001 });
    refused({ noteCharacters: 501 });
    refused({ inactiveAfterMs: 600_000 });
    refused({ inactiveAfterMs: 700_000, awayAfterMs: 650_000 });
  });
});
