import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { DescMethodUnary } from '@bufbuild/protobuf';
import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { DirectoryInternalService } from '@parley/contracts/directory/v1/internal';
import { StoreError } from '@parley/store';
import { people } from '../collections.ts';
import { administrator, type Directory, goodPassword, refusal, startDirectory } from '../testing/harness.ts';
import { wrapStore } from '../testing/stores.ts';

const auth = AuthService.method;
const admin = DirectoryAdminService.method;
const directory = DirectoryService.method;
const internal = DirectoryInternalService.method;
const long = 'x'.repeat(300);
const many = (n: number) => Array.from({ length: n }, (_, i) => `id${i}`);

describe('input', () => {
  let d: Directory;
  before(async () => {
    d = await startDirectory();
  });
  after(() => d.close());

  const person = {
    requestId: randomUUID(),
    address: 'a@hospital.example',
    displayName: 'A',
    initialPassword: goodPassword,
  };
  const made = (more: Record<string, unknown>) => ({ ...person, ...more });
  const cases: readonly (readonly [string, DescMethodUnary, Record<string, unknown>, string, string])[] = [
    ['no address', auth.signIn, { password: 'x' }, 'directory.field_missing', 'address'],
    ['no address form', auth.signIn, { address: 'alice', password: 'x' }, 'directory.address_invalid', 'address'],
    ['a long address', auth.signIn, { address: `${long}@${long}`, password: 'x' }, 'directory.too_long', 'address'],
    ['no password', auth.signIn, { address: 'a@hospital.example' }, 'directory.field_missing', 'password'],
    [
      'a long password',
      auth.signIn,
      { address: 'a@hospital.example', password: '王'.repeat(86) },
      'directory.too_long',
      'password',
    ],
    [
      'a long label',
      auth.signIn,
      { address: 'a@hospital.example', password: 'x', deviceLabel: 'x'.repeat(129) },
      'directory.too_long',
      'device_label',
    ],
    ['no token', auth.refresh, {}, 'directory.field_missing', 'refresh_token'],
    ['a long token', auth.refresh, { refreshToken: 'x'.repeat(513) }, 'directory.too_long', 'refresh_token'],
    ['no token to sign out', auth.signOut, {}, 'directory.field_missing', 'refresh_token'],
    ['another token', auth.signOut, { refreshToken: 'x' }, 'directory.refresh_invalid', 'refresh_token'],
    ['no current password', auth.changePassword, { newPassword: 'x' }, 'directory.field_missing', 'current_password'],
    ['no request id', admin.createPerson, made({ requestId: '' }), 'directory.field_missing', 'request_id'],
    ['no UUID', admin.createPerson, made({ requestId: 'x' }), 'directory.field_invalid', 'request_id'],
    ['no name', admin.createPerson, made({ displayName: ' \u3000 ' }), 'directory.field_missing', 'display_name'],
    ['a long name', admin.createPerson, made({ displayName: '王'.repeat(257) }), 'directory.too_long', 'display_name'],
    [
      'a very long name',
      admin.createPerson,
      made({ displayName: 'x'.repeat(60_000) }),
      'directory.too_long',
      'display_name',
    ],
    [
      'a name that turns around',
      admin.createPerson,
      made({ displayName: 'a\u202eb' }),
      'directory.field_invalid',
      'display_name',
    ],
    [
      'a name of two lines',
      admin.createPerson,
      made({ displayName: 'a\nb' }),
      'directory.field_invalid',
      'display_name',
    ],
    [
      'a short password',
      admin.createPerson,
      made({ initialPassword: 'elevenbytes' }),
      'directory.password_short',
      'initial_password',
    ],
    [
      'a weak password',
      admin.createPerson,
      made({ initialPassword: 'aaaaaaaaaaaaaaa' }),
      'directory.password_weak',
      'initial_password',
    ],
    ['no role', admin.createPerson, made({ roles: [1, 99] }), 'directory.field_invalid', 'roles[1]'],
    [
      'a long department',
      admin.createPerson,
      made({ department: 'x'.repeat(257) }),
      'directory.too_long',
      'department',
    ],
    ['a long title', admin.createPerson, made({ title: 'x'.repeat(257) }), 'directory.too_long', 'title'],
    ['no language', admin.createPerson, made({ language: 'x_y' }), 'directory.field_invalid', 'language'],
    ['a long language', admin.createPerson, made({ language: 'en-'.repeat(20) }), 'directory.too_long', 'language'],
    ['a strange site', admin.createPerson, made({ site: 'a b' }), 'directory.field_invalid', 'site'],
    ['a long site', admin.createPerson, made({ site: 'x'.repeat(65) }), 'directory.too_long', 'site'],
    ['nobody', admin.getAccount, {}, 'directory.field_missing', 'person'],
    ['a strange id', admin.getAccount, { person: 'a.b' }, 'directory.field_invalid', 'person'],
    ['an unknown id', admin.getAccount, { person: 'nobody' }, 'directory.person_not_found', 'person'],
    ['an unknown address', admin.getAccount, { person: 'n@hospital.example' }, 'directory.person_not_found', 'person'],
    ['a large page', admin.listAccounts, { limit: 501 }, 'directory.too_many', 'limit'],
    ['no state', admin.setAccountState, { person: 'x' }, 'directory.field_invalid', 'state'],
    ['a strange state', admin.setAccountState, { person: 'x', state: 9 }, 'directory.field_invalid', 'state'],
    ['no new password', admin.resetPassword, { person: 'x' }, 'directory.field_missing', 'new_password'],
    ['many roles', admin.setRoles, { person: 'x', roles: Array(65).fill(1) }, 'directory.too_many', 'roles'],
    [
      'a strange new address',
      admin.renamePerson,
      { person: 'x', primaryAddress: 'y' },
      'directory.address_invalid',
      'primary_address',
    ],
    ['many people', directory.getPeople, { ids: many(150), addresses: many(51) }, 'directory.too_many', 'ids'],
    ['a strange id of many', directory.getPeople, { ids: ['ok', 'not ok'] }, 'directory.field_invalid', 'ids[1]'],
    [
      'a strange address of many',
      directory.getPeople,
      { addresses: ['x'] },
      'directory.address_invalid',
      'addresses[0]',
    ],
    ['nobody to delete', admin.deletePerson, {}, 'directory.field_missing', 'person'],
    ['an unknown id to delete', admin.deletePerson, { person: 'nobody' }, 'directory.person_not_found', 'person'],
    ['nobody to restore', admin.restorePerson, { person: 'a.b' }, 'directory.field_invalid', 'person'],
    ['a strange state', admin.listAccounts, { state: 9 }, 'directory.field_invalid', 'state'],
    ['a deletion by state', admin.setAccountState, { person: 'x', state: 3 }, 'directory.field_invalid', 'state'],
    ['no rows', admin.importPeople, {}, 'directory.field_missing', 'rows'],
    ['many rows', admin.importPeople, { rows: many(201).map(() => ({})) }, 'directory.too_many', 'rows'],
    ['no name of a group', admin.putGroup, {}, 'directory.field_missing', 'name'],
    ['a long name of a group', admin.putGroup, { name: 'x'.repeat(257) }, 'directory.too_long', 'name'],
    ['a name of two lines of a group', admin.putGroup, { name: 'a\nb' }, 'directory.field_invalid', 'name'],
    ['a long new name', admin.putGroup, { name: 'g', newName: 'x'.repeat(257) }, 'directory.too_long', 'new_name'],
    [
      'a long description',
      admin.putGroup,
      { name: 'g', description: 'x'.repeat(1025) },
      'directory.too_long',
      'description',
    ],
    ['many members', admin.putGroup, { name: 'g', addMembers: many(1001) }, 'directory.too_many', 'add_members'],
    [
      'many to remove',
      admin.putGroup,
      { name: 'g', removeMembers: many(1001) },
      'directory.too_many',
      'remove_members',
    ],
    [
      'a strange member',
      admin.putGroup,
      { name: 'g', addMembers: ['a b'] },
      'directory.field_invalid',
      'add_members[0]',
    ],
    ['no group', admin.deleteGroup, {}, 'directory.field_missing', 'group'],
    ['an unknown group', admin.deleteGroup, { group: 'none' }, 'directory.group_not_found', 'group'],
    ['nobody to show', directory.getPhoto, {}, 'directory.field_missing', 'person_id'],
    [
      'an unknown person to show',
      directory.getPhoto,
      { personId: 'nobody' },
      'directory.person_not_found',
      'person_id',
    ],
    ['a long query for groups', directory.listGroups, { query: 'x'.repeat(129) }, 'directory.too_long', 'query'],
    ['a large page of groups', directory.listGroups, { limit: 201 }, 'directory.too_many', 'limit'],
    ['a strange cursor of groups', directory.listGroups, { cursor: '?' }, 'directory.cursor_invalid', 'cursor'],
    ['a strange member of groups', directory.listGroups, { memberId: 'a b' }, 'directory.field_invalid', 'member_id'],
    ['no group to list', directory.listGroupMembers, {}, 'directory.field_missing', 'group'],
    ['a large page of members', directory.listGroupMembers, { group: 'g', limit: 201 }, 'directory.too_many', 'limit'],
    [
      'a strange cursor of members',
      directory.listGroupMembers,
      { group: 'g', cursor: '?' },
      'directory.cursor_invalid',
      'cursor',
    ],
    ['no query', directory.searchPeople, {}, 'directory.field_missing', 'query'],
    ['a long query', directory.searchPeople, { query: 'x'.repeat(129) }, 'directory.too_long', 'query'],
    ['many results', directory.searchPeople, { query: 'x', limit: 101 }, 'directory.too_many', 'limit'],
    ['no principals', internal.getPrincipals, {}, 'directory.field_missing', 'ids'],
    ['many principals', internal.getPrincipals, { ids: many(501) }, 'directory.too_many', 'ids'],
    ['a strange principal', internal.getPrincipals, { ids: ['a b'] }, 'directory.field_invalid', 'ids[0]'],
    ['many sign-ins', internal.checkSignIns, { signInIds: many(10_001) }, 'directory.too_many', 'sign_in_ids'],
    [
      'a strange sign-in',
      internal.checkSignIns,
      { signInIds: ['x'.repeat(65)] },
      'directory.field_invalid',
      'sign_in_ids[0]',
    ],
  ];
  for (const [what, method, request, code, field] of cases) {
    it(`with ${what} is refused by ${method.name}, naming the field`, async () => {
      await assert.rejects(d.call(method, request as never, administrator()), refusal(code, field));
    });
  }

  it('that was refused leaves nothing behind', async () => {
    const { docs } = await d.collection(people).scan('byKind', { equals: ['person'], limit: 10 });
    assert.deepEqual(docs, []);
  });
});

describe('a database that fails', () => {
  it('is told apart from one that may have done it, and from our own mistakes', async () => {
    let failure: Error = new Error('none');
    const d = await startDirectory({}, store => wrapStore(store, () => async () => Promise.reject(failure)));
    const get = () => d.call(admin.getAccount, { person: 'x' }, administrator());
    failure = new StoreError('store.timeout', 'slow');
    await assert.rejects(get(), refusal('directory.store_unavailable'));
    failure = new StoreError('store.unavailable', 'gone', { outcome: 'unknown' });
    await assert.rejects(get(), refusal('directory.outcome_unknown'));
    failure = new StoreError('store.bad_query', 'ours');
    await assert.rejects(get(), error => error === failure);
    await d.close();
  });
});
