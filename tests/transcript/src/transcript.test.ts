import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { readPage } from './page.ts';
import { PAGES } from './pages.ts';
import { ROOT, runPage } from './run-page.ts';

describe('every command of a page does what the page shows', { concurrency: 4, timeout: 600_000 }, () => {
  // several pages need it, and only one may build it
  before(() => {
    const { status, stderr } = spawnSync(process.execPath, ['tools/web.ts'], { cwd: ROOT, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });

  for (const { path, from, skipped = [] } of PAGES)
    test(path, async () => {
      const steps = readPage(readFileSync(join(ROOT, path), 'utf8'));
      const commands = steps.filter(step => step.kind === 'command');
      assert.ok(commands.length > 0, 'the page shows no command');
      const left = commands.filter(({ skip }) => skip !== undefined).map(({ command }) => command);
      assert.equal(left.length, skipped.length, `the page leaves out:\n${left.join('\n')}`);
      for (const [i, command] of left.entries())
        assert.ok(command.startsWith(skipped[i] as string), `the page leaves out ${command}`);
      await runPage(steps, { from });
    });
});
