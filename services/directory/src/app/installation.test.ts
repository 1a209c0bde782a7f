import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Role } from '@parley/contracts';
import { type Directory, goodPassword, startDirectory } from '../testing/harness.ts';

describe('the installation itself', () => {
  let d: Directory;
  beforeEach(async () => {
    d = await startDirectory({ archiveInternal: true });
  });
  afterEach(() => d.close());

  it('counts enabled administrators', async () => {
    await d.module.ensureAdministrator({ address: 'a@hospital.example', displayName: 'A', password: goodPassword });
    const before = await d.module.countAdministrators();
    await d.person('second@hospital.example', { roles: [Role.ADMINISTRATOR] });
    assert.equal(await d.module.countAdministrators(), before + 1);
    await d.module.deleteAmong(['second@hospital.example']);
    assert.equal(await d.module.countAdministrators(), before);
  });

  it('finds and deletes those of a list who may sign in', async () => {
    await d.person('mei@hospital.example');
    await d.person('tom@hospital.example');
    const list = ['mei@hospital.example', 'nobody@hospital.example', 'no address', 'tom@hospital.example'];
    assert.deepEqual(await d.module.enabledAmong(list), ['mei@hospital.example', 'tom@hospital.example']);
    assert.deepEqual(await d.module.deleteAmong(list.slice(0, 2)), ['mei@hospital.example']);
    assert.deepEqual(await d.module.enabledAmong(list), ['tom@hospital.example']);
    await assert.rejects(d.signIn('mei@hospital.example', goodPassword), { code: 'directory.sign_in_refused' });
  });

  it('says which policy applies to everybody', async () => {
    assert.deepEqual(await d.module.globalArchiving(), {
      archiveInternal: true,
      archiveExternal: false,
      critical: false,
    });
  });
});
