import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { freePorts } from './ports.ts';

describe('free ports', () => {
  it('are different each time, however many are asked for', async () => {
    const ports = [...(await freePorts(7)), ...(await freePorts(120))];
    assert.equal(new Set(ports).size, 127);
  });

  it('are nobody else’s while this process lives, although nothing listens on them', async () => {
    const mine = new Set(await freePorts(120));
    const source = `import { freePorts } from ${JSON.stringify(import.meta.resolve('./ports.ts'))};
      console.log(JSON.stringify(await freePorts(400)));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', source]);
    const theirs = JSON.parse(stdout) as number[];
    assert.equal(new Set(theirs).size, 400);
    assert.deepEqual(
      theirs.filter(port => mine.has(port)),
      [],
    );
  });
});
