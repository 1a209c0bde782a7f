import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemIds } from '@parley/runtime';
import { DEMO_ACCOUNTS, DEMO_DOMAIN } from '../demo.ts';
import { createKeys } from '../keys.ts';
import { TARGET_NAMES } from '../routes.ts';
import { commandContext, keysDir, readConfig } from './context.ts';
import { migrate } from './migrate.ts';
import { createDemo } from './people.ts';

describe('parley create-demo', () => {
  it('makes everybody, tells passwords of its own to the owner alone, and changes nothing when it is repeated', async t => {
    const dataDir = mkdtempSync(join(tmpdir(), 'parley-demo-'));
    t.after(() => rmSync(dataDir, { recursive: true, force: true }));
    writeFileSync(join(dataDir, 'parley.yaml'), JSON.stringify({ directory: { domains: [DEMO_DOMAIN] } }));
    createKeys(keysDir(readConfig({ dataDir })), TARGET_NAMES, systemIds);
    const context = commandContext({ dataDir }, 'warn');
    await migrate(context);
    const [told] = await createDemo(context);
    assert.match(told ?? '', /^made 60 people of demo\.parley\.example; 12 of them can sign in/);
    const file = join(dataDir, 'demo-accounts.txt');
    const table = readFileSync(file, 'utf8');
    const lines = table.trimEnd().split('\n');
    assert.deepEqual(
      lines.map(line => line.split(/\s+/)[0]),
      DEMO_ACCOUNTS.map(account => account.address),
    );
    const passwords = lines.map(line => line.split(/\s+/)[1] ?? '');
    assert.ok(passwords.every(password => /^[\w-]{16}$/.test(password)) && new Set(passwords).size === 12);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    await createDemo(context);
    assert.equal(readFileSync(file, 'utf8'), table);
  });
});
