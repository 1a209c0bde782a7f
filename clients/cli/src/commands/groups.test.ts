import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonLines, signedIn } from '../../test/world.ts';

describe('groups', () => {
  it('are made, filled, shown, renamed and deleted', async t => {
    const { ctl, directory, file } = await signedIn(t);
    assert.equal((await ctl(['groups', 'list'])).stdout, 'No groups.\n');
    assert.match((await ctl(['groups', 'put', '外科部', '--description', 'Surgery'])).stdout, /^外科部\n/);
    const list = file('members', 'mei@clinic.example\nnobody\ntom@clinic.example\n');
    const filled = await ctl(['groups', 'add', '外科部', '--file', list]);
    assert.equal(filled.code, 1);
    assert.match(
      filled.stdout,
      /mei@clinic\.example {2}added\nnobody {14}refused {2}.*person_not_found\)\ntom@clinic\.example {2}added\n/,
    );
    assert.equal((await ctl(['groups', 'list'])).stdout, 'NAME    MEMBERS  DESCRIPTION\n外科部  2        Surgery\n');
    const shown = await ctl(['groups', 'show', '外科部']);
    assert.match(shown.stdout, /members {6}2\n\nNAME {8}ADDRESS/);
    assert.match((await ctl(['users', 'show', 'tom-id'])).stdout, /groups {7}外科部/);
    assert.equal(
      (await ctl(['groups', 'list', '--member', 'tom@clinic.example', '--json'])).stdout.includes('外科部'),
      true,
    );
    const left = await ctl(['groups', 'remove', '外科部', 'tom-id', '--json']);
    assert.deepEqual(jsonLines(left.stdout), [{ person: 'tom-id', outcome: 'removed' }]);
    await ctl(['groups', 'put', '外科部', '--new-name', 'Surgery']);
    assert.deepEqual([...directory.groups.keys()], ['Surgery']);
    assert.equal(directory.groups.get('Surgery')?.description, 'Surgery');
    assert.match((await ctl(['groups', 'delete', 'Surgery', '--dry-run'])).stdout, /nothing was changed/);
    assert.equal((await ctl(['groups', 'delete', 'Surgery'])).stdout, 'Deleted. Its members stay.\n');
    assert.equal(directory.groups.size, 0);
  });

  it('are not made by a slip of the pen, nor changed as if', async t => {
    const { ctl, directory } = await signedIn(t);
    const { code, stderr } = await ctl(['groups', 'add', 'Wrd 3', 'tom-id']);
    assert.equal(code, 5);
    assert.match(stderr, /directory\.group_not_found\)\n {2}Find groups with/);
    await ctl(['groups', 'put', 'Ward 3', '--dry-run']);
    assert.equal(directory.groups.size, 0);
    await ctl(['groups', 'put', 'Ward 3']);
    const dry = await ctl(['groups', 'add', 'Ward 3', 'tom-id', '--dry-run']);
    assert.match(dry.stdout, /would be added/);
    assert.equal(directory.groups.get('Ward 3')?.members.size, 0);
    assert.equal((await ctl(['groups', 'add', 'Ward 3'])).code, 2);
  });
});
