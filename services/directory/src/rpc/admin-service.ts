import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { type ChangeAccountNeeds, setAccountState, setRoles, unlockAccount } from '../app/change-account.ts';
import { type CreatePersonNeeds, createPerson } from '../app/create-person.ts';
import type { AccountView } from '../app/find-person.ts';
import { getAccount, listAccounts } from '../app/read-people.ts';
import { type RenamePersonNeeds, renamePerson } from '../app/rename-person.ts';
import { type ResetPasswordNeeds, resetPassword } from '../app/reset-password.ts';
import { type SignOutPersonNeeds, signOutPerson } from '../app/sign-out.ts';
import { actorOf, callOf, mount } from './calls.ts';
import { accountMessage, rolesFrom } from './messages.ts';
import {
  address,
  cursor,
  formatCursor,
  invalid,
  language,
  limit,
  line,
  password,
  personRef,
  site,
  uuid,
} from './validate.ts';

export type AdminNeeds = CreatePersonNeeds &
  ChangeAccountNeeds &
  ResetPasswordNeeds &
  RenamePersonNeeds &
  SignOutPersonNeeds;

const states = new Map([
  [AccountState.ENABLED, 'enabled'],
  [AccountState.DISABLED, 'disabled'],
] as const);

const answer = (view: AccountView) => ({ account: accountMessage(view) });

export function adminService(needs: AdminNeeds) {
  return mount(DirectoryAdminService, {
    async createPerson(request, context) {
      const command = {
        requestId: uuid(request.requestId, 'request_id'),
        addresses: [address(request.address, 'address')],
        displayName: line(request.displayName, 'display_name', 256, true),
        password: request.initialPassword === '' ? undefined : password(request.initialPassword, 'initial_password'),
        passwordChangeRequired: request.passwordChangeRequired,
        roles: rolesFrom(request.roles, 'roles'),
        department: line(request.department, 'department', 256, false),
        title: line(request.title, 'title', 256, false),
        language: language(request.language, 'language'),
        site: site(request.site, 'site'),
      };
      return answer(await createPerson(needs, command, actorOf(context), callOf(context)));
    },
    async getAccount(request) {
      return answer(await getAccount(needs, personRef(request.person)));
    },
    async listAccounts(request) {
      const afterId = cursor(request.cursor, 'cursor');
      const page = await listAccounts(needs, { limit: limit(request.limit, 'limit', 500, 100), afterId });
      return { accounts: page.accounts.map(accountMessage), nextCursor: formatCursor(page.lastId) };
    },
    async setAccountState(request, context) {
      const person = personRef(request.person);
      const state = states.get(request.state as typeof AccountState.ENABLED);
      if (!state) throw invalid('state', 'ENABLED or DISABLED');
      return answer(await setAccountState(needs, { person, state }, actorOf(context), callOf(context)));
    },
    async unlockAccount(request, context) {
      return answer(await unlockAccount(needs, personRef(request.person), actorOf(context), callOf(context)));
    },
    async resetPassword(request, context) {
      const command = {
        person: personRef(request.person),
        newPassword: password(request.newPassword, 'new_password'),
      };
      return answer(await resetPassword(needs, command, actorOf(context), callOf(context)));
    },
    async setRoles(request, context) {
      const command = { person: personRef(request.person), roles: rolesFrom(request.roles, 'roles') };
      return answer(await setRoles(needs, command, actorOf(context), callOf(context)));
    },
    async renamePerson(request, context) {
      const command = {
        person: personRef(request.person),
        displayName: line(request.displayName, 'display_name', 256, false) || undefined,
        primaryAddress: request.primaryAddress === '' ? undefined : address(request.primaryAddress, 'primary_address'),
      };
      return answer(await renamePerson(needs, command, actorOf(context), callOf(context)));
    },
    async signOutPerson(request, context) {
      await signOutPerson(needs, personRef(request.person), actorOf(context), callOf(context));
      return {};
    },
  });
}
