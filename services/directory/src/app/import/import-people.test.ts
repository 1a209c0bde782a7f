import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { administrator, type Directory, startDirectory } from '../../testing/harness.ts';

const admin = DirectoryAdminService.method;
const directory = DirectoryService.method;

describe('people from a file', () => {
  let d: Directory;
  beforeEach(async () => {
    d = await startDirectory();
  });
  afterEach(() => d.close());

  it('are made with all that the file says, and stay as they are when it comes again', async () => {
    const rows = [
      {
        address: 'ada@hospital.example',
        displayName: 'Ada',
        externalId: '1',
        manager: '2',
        groups: ['All', 'IT'],
        setGroups: true,
      },
      { address: 'bob@hospital.example', displayName: 'Bob', externalId: '2', groups: ['ａｌｌ'], setGroups: true },
    ];
    const first = await d.call(admin.importPeople, { rows }, administrator());
    assert.deepEqual(
      first.outcomes.map(o => [o.action, o.code, o.field]),
      [
        [1, '', ''],
        [1, '', ''],
      ],
    );
    const again = await d.call(admin.importPeople, { rows }, administrator());
    assert.deepEqual(
      again.outcomes.map(o => [o.action, o.changed]),
      [
        [3, []],
        [3, []],
      ],
    );
    const { groups } = await d.call(directory.listGroups, {}, administrator());
    assert.deepEqual(
      groups.map(g => [g.name, g.memberCount]),
      [
        ['All', 2],
        ['IT', 1],
      ],
    );
    const { members } = await d.call(directory.listGroupMembers, { group: 'ALL' }, administrator());
    assert.deepEqual(members.map(m => m.displayName).sort(), ['Ada', 'Bob']);
  });
});
