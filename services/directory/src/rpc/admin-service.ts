import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { AccountState } from '@parley/contracts/directory/v1/person';
import type { ServiceImpl } from '@parley/rpc';
import { type ChangeAccountNeeds, setAccountState, setRoles, unlockAccount } from '../app/change-account.ts';
import { type CreatePersonNeeds, createPerson } from '../app/create-person.ts';
import { type DeletePersonNeeds, deletePerson, restorePerson } from '../app/delete-person.ts';
import type { AccountView } from '../app/find-person.ts';
import type { GroupNeeds } from '../app/groups.ts';
import type { ImportNeeds } from '../app/import/import-people.ts';
import { getAccount, listAccounts } from '../app/read-people.ts';
import { type RenamePersonNeeds, renamePerson } from '../app/rename-person.ts';
import { type ResetPasswordNeeds, resetPassword } from '../app/reset-password.ts';
import { type SignOutPersonNeeds, signOutPerson } from '../app/sign-out.ts';
import type { Standing } from '../app/standing.ts';
import { actorOf, callOf, mountForPeople } from './calls.ts';
import { deleteGroupCall, putGroupCall } from './group-calls.ts';
import { importPeopleCall } from './import-calls.ts';
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

export type ChangeNeeds = CreatePersonNeeds &
  DeletePersonNeeds &
  ImportNeeds &
  GroupNeeds &
  ChangeAccountNeeds &
  ResetPasswordNeeds &
  RenamePersonNeeds &
  SignOutPersonNeeds;

export type AdminNeeds = ChangeNeeds & {
  readonly standing: Standing;
  /** The same, but what is changed is thrown away, and nobody hears of it. */
  rehearsal(): ChangeNeeds;
};

const states = new Map([
  [AccountState.ENABLED, 'enabled'],
  [AccountState.DISABLED, 'disabled'],
] as const);
const listed = new Map([...states, [AccountState.DELETED, 'deleted']] as const);

const answer = (view: AccountView) => ({ account: accountMessage(view) });

export function adminService(needs: AdminNeeds) {
  const forCall = ({ dryRun }: { readonly dryRun: boolean }): ChangeNeeds => (dryRun ? needs.rehearsal() : needs);
  const impl: ServiceImpl<typeof DirectoryAdminService> = {
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
      return answer(await createPerson(forCall(request), command, actorOf(context), callOf(context)));
    },
    async getAccount(request) {
      return answer(await getAccount(needs, personRef(request.person)));
    },
    async listAccounts(request) {
      const afterId = cursor(request.cursor, 'cursor');
      const state = listed.get(request.state as typeof AccountState.ENABLED);
      if (!state && request.state !== AccountState.UNSPECIFIED) throw invalid('state', 'a state of accounts');
      const page = await listAccounts(needs, { limit: limit(request.limit, 'limit', 500, 100), afterId, state });
      return { accounts: page.accounts.map(accountMessage), nextCursor: formatCursor(page.lastId) };
    },
    async setAccountState(request, context) {
      const person = personRef(request.person);
      const state = states.get(request.state as typeof AccountState.ENABLED);
      if (!state) throw invalid('state', 'ENABLED or DISABLED');
      return answer(await setAccountState(forCall(request), { person, state }, actorOf(context), callOf(context)));
    },
    async unlockAccount(request, context) {
      return answer(
        await unlockAccount(forCall(request), personRef(request.person), actorOf(context), callOf(context)),
      );
    },
    async resetPassword(request, context) {
      const command = {
        person: personRef(request.person),
        newPassword: password(request.newPassword, 'new_password'),
      };
      return answer(await resetPassword(forCall(request), command, actorOf(context), callOf(context)));
    },
    async setRoles(request, context) {
      const command = { person: personRef(request.person), roles: rolesFrom(request.roles, 'roles') };
      return answer(await setRoles(forCall(request), command, actorOf(context), callOf(context)));
    },
    async renamePerson(request, context) {
      const command = {
        person: personRef(request.person),
        displayName: line(request.displayName, 'display_name', 256, false) || undefined,
        primaryAddress: request.primaryAddress === '' ? undefined : address(request.primaryAddress, 'primary_address'),
      };
      return answer(await renamePerson(forCall(request), command, actorOf(context), callOf(context)));
    },
    async signOutPerson(request, context) {
      await signOutPerson(forCall(request), personRef(request.person), actorOf(context), callOf(context));
      return {};
    },
    async deletePerson(request, context) {
      const ref = personRef(request.person);
      return answer(await deletePerson(forCall(request), ref, actorOf(context), callOf(context)));
    },
    async restorePerson(request, context) {
      const ref = personRef(request.person);
      return answer(await restorePerson(forCall(request), ref, actorOf(context), callOf(context)));
    },
    importPeople: async (request, context) => importPeopleCall(forCall(request), request, context),
    putGroup: async (request, context) => putGroupCall(forCall(request), request, context),
    deleteGroup: async (request, context) => deleteGroupCall(forCall(request), request, context),
  };
  return mountForPeople(DirectoryAdminService, impl, needs.standing);
}
