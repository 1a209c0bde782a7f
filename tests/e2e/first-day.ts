import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startParley } from '@parley/testkit';
import type { Ground } from './run.ts';
import { inWorld, refused } from './scenario.ts';

const ADDRESS = 'boss@parley.example';

/** From nothing to an administrator with a password of his own; nothing that is done twice changes anything. */
export async function firstDay(ground: Ground): Promise<void> {
  const administrator = { address: ADDRESS, password: 'correct horse battery' };
  const passwordIn = (dir: string) => join(dir, 'one-time-password');
  let flags: string[] = [];
  const parley = await startParley({
    ...ground,
    config: ground.config ?? {},
    administrator,
    async prepare(run, dir) {
      flags = ['--administrator', ADDRESS, '--name', 'The Boss', '--password-file', passwordIn(dir)];
      await assert.rejects(run('init'), /no terminal to ask on: give --administrator, --name, --password-file/);
      assert.match(await run('init', ...flags), /made boss@parley.example the first administrator/);
      assert.match(await run('init', ...flags), /there is an administrator, whose password stays as it is/);
    },
  });
  try {
    const oneTime = readFileSync(passwordIn(parley.dir), 'utf8').trim();
    await inWorld(parley, ground.faults(parley), async world => {
      const client = world.client();
      const { passwordChangeRequired } = await client.signIn(ADDRESS, oneTime);
      assert.equal(passwordChangeRequired, true);
      await refused(client.services.directoryAdmin.listAccounts({}), 'rpc.password_change_required');
      await client.changePassword(oneTime, administrator.password);
      const { accounts } = await client.services.directoryAdmin.listAccounts({});
      assert.deepEqual(
        accounts.map(account => account.person?.displayName),
        ['The Boss'],
        'nobody else is there, and no demo organisation',
      );
      await refused(world.client().signIn(ADDRESS, oneTime), 'directory.sign_in_refused');
      await world.person('Somebody');
    });
    // on an installation that runs: nothing to do, nothing wrong, and the password is still his own
    assert.match(await parley.parley('init', ...flags), /nothing was changed|stays as it is/);
    assert.doesNotMatch(await parley.parley('doctor', '--target', 'directory'), /FAIL/);
    await inWorld(parley, ground.faults(parley), async world => void (await world.administrator()));
    assert.equal(readFileSync(passwordIn(parley.dir), 'utf8').trim(), oneTime);
    assert.equal(existsSync(join(parley.dir, 'demo-accounts.txt')), false);
  } finally {
    await parley.stop();
  }
}
