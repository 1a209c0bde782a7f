import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, type ConnectRouter } from '@connectrpc/connect';
import { Role } from '@parley/contracts';
import {
  DirectoryAdminService,
  ImportAction,
  type ImportOutcomeSchema,
  type ImportRow,
} from '@parley/contracts/directory/v1/admin';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { type AccountSchema, AccountState } from '@parley/contracts/directory/v1/person';
import { MEI, refusal, TOM } from './fake-server.ts';

type Account = MessageInitShape<typeof AccountSchema>;

/** People and groups of the fake server, kept in memory; enough of a directory for the commands that change it. */
export function createFakeDirectory() {
  const accounts = new Map<string, Account>();
  const groups = new Map<string, { id: string; description: string; members: Set<string> }>();
  const here = {
    accounts,
    groups,
    created: [] as unknown[],
    passwords: [] as (readonly [person: string, password: string])[],
    /** Roles of whoever is signed in. */
    myRoles: [Role.ADMINISTRATOR] as Role[],
    /** Sizes of the imports that came. */
    imports: [] as { rows: number; dryRun: boolean }[],
    /** Thrown instead of the next answers of an administration. */
    failures: [] as Error[],
    mount,
  };
  for (const person of [MEI, TOM]) add(person.id, person);

  function add(id: string, person: object, rest: Account = {}): Account {
    const account = {
      state: AccountState.ENABLED,
      roles: id === TOM.id ? [Role.VIEWER] : [],
      createdMs: 1_700_000_000_000n,
      hasPassword: true,
      ...rest,
      person: { id, ...person },
    } as Account;
    accounts.set(id, account);
    return account;
  }
  const all = () => [...accounts.values()];
  const find = (reference: string) =>
    accounts.get(reference) ?? all().find(a => a.person?.addresses?.includes(reference) || a.externalId === reference);
  function need(reference: string, field = 'person'): Account {
    const failure = here.failures.shift();
    if (failure) throw failure;
    const account = find(reference);
    if (!account) throw refusal('directory.person_not_found', Code.NotFound, { field });
    return account;
  }
  const put = (dryRun: boolean, account: Account): { account: Account } => {
    if (!dryRun) accounts.set(account.person?.id ?? '', account);
    return { account };
  };
  const groupOf = (name: string) => ({
    id: groups.get(name)?.id ?? '',
    name,
    description: groups.get(name)?.description ?? '',
    memberCount: groups.get(name)?.members.size ?? 0,
  });
  function needGroup(reference: string): string {
    const found = [...groups].find(([name, { id }]) => name === reference || id === reference)?.[0];
    if (found === undefined) throw refusal('directory.group_not_found', Code.NotFound, { field: 'group' });
    return found;
  }

  function importRow(row: ImportRow, dryRun: boolean): MessageInitShape<typeof ImportOutcomeSchema> {
    const no = (code: string, field: string) =>
      ({ action: ImportAction.REFUSED, code, field, message: `refused: ${code}` }) as const;
    const before = find(row.externalId) ?? find(row.address);
    const { address, otherAddresses, externalId, manager } = row;
    if (!address.endsWith('@clinic.example')) return no('directory.domain_foreign', 'address');
    if (!before && row.displayName === undefined) return no('directory.field_missing', 'display_name');
    const boss = manager ? find(manager) : undefined;
    if (manager && !boss) return no('directory.manager_not_found', 'manager');
    const some = Object.entries({
      displayName: row.displayName,
      department: row.department,
      title: row.title,
      language: row.language,
      ...(manager !== undefined && { managerId: boss?.person?.id ?? '' }),
      ...(row.photo && { photoVersion: row.photo.length > 0 ? `v${row.photo.length}` : '' }),
      primaryAddress: address,
      addresses: [address, ...otherAddresses],
    }).filter(([, value]) => value !== undefined);
    const person = { ...before?.person, ...Object.fromEntries(some) };
    const id = before?.person?.id ?? `id-${accounts.size}`;
    const state = row.enabled === false ? AccountState.DISABLED : AccountState.ENABLED;
    const next = {
      ...before,
      person: { ...person, id },
      ...(externalId && { externalId }),
      ...(row.enabled !== undefined && { state }),
      hasPassword: before?.hasPassword ?? row.initialPassword !== '',
    } as Account;
    const same = JSON.stringify([before?.person, before?.state, before?.externalId]);
    const now = JSON.stringify([next.person, next.state, next.externalId]);
    let moved = false;
    if (row.setGroups)
      for (const name of new Set([...row.groups, ...groups.keys()])) {
        const group = groups.get(name) ?? { id: `g-${groups.size}`, description: '', members: new Set<string>() };
        const wanted = row.groups.includes(name);
        if (wanted === group.members.has(id)) continue;
        moved = true;
        if (dryRun) continue;
        groups.set(name, group);
        if (wanted) group.members.add(id);
        else group.members.delete(id);
      }
    if (before && same === now && !moved) return { action: ImportAction.UNCHANGED, personId: id };
    if (!dryRun && before) accounts.set(id, next);
    else if (!dryRun) add(id, next.person ?? {}, next);
    return { action: before ? ImportAction.UPDATED : ImportAction.CREATED, personId: dryRun && !before ? '' : id };
  }

  function mount(router: ConnectRouter): ConnectRouter {
    return router
      .service(DirectoryService, {
        getMe: () => ({ person: MEI, roles: here.myRoles }),
        getPeople: ({ ids, addresses }) => ({
          people: [...ids, ...addresses].flatMap(one => find(one)?.person ?? []),
        }),
        searchPeople: () => ({ people: [MEI, TOM], truncated: true }),
        listGroups: ({ memberId }) => ({
          groups: [...groups]
            .filter(([, g]) => memberId === '' || g.members.has(memberId))
            .map(([name]) => groupOf(name)),
        }),
        listGroupMembers({ group }) {
          const name = needGroup(group);
          return {
            group: groupOf(name),
            members: [...(groups.get(name)?.members ?? [])].flatMap(id => find(id)?.person ?? []),
          };
        },
      })
      .service(DirectoryAdminService, {
        createPerson(request) {
          here.created.push(request);
          const { address, displayName, dryRun } = request;
          if (find(address)) throw refusal('directory.address_taken', Code.AlreadyExists, { field: 'address' });
          const person = { displayName, primaryAddress: address, addresses: [address] };
          if (dryRun) return { account: { person } };
          return { account: add(`id-${accounts.size}`, person, { hasPassword: request.initialPassword !== '' }) };
        },
        getAccount: ({ person }) => ({ account: need(person) }),
        listAccounts({ cursor, state }) {
          const found = all().filter(a => (state === 0 ? a.state !== AccountState.DELETED : a.state === state));
          const at = Number(cursor || 0);
          return { accounts: found.slice(at, at + 1), nextCursor: at + 1 < found.length ? String(at + 1) : '' };
        },
        setAccountState: ({ person, state, dryRun }) => put(dryRun, { ...need(person), state }),
        unlockAccount: ({ person, dryRun }) => put(dryRun, { ...need(person), lockedUntilMs: 0n }),
        resetPassword({ person, newPassword, dryRun }) {
          const account = need(person);
          if (newPassword.length < 12) throw refusal('directory.password_short', Code.InvalidArgument);
          if (!dryRun) here.passwords.push([person, newPassword]);
          return { account };
        },
        renamePerson({ person, displayName, primaryAddress, dryRun }) {
          const account = need(person);
          const now = account.person ?? {};
          const address = primaryAddress || (now.primaryAddress ?? '');
          const next = {
            ...now,
            displayName: displayName || now.displayName,
            primaryAddress: address,
            addresses: [address],
          };
          return put(dryRun, { ...account, person: next } as Account);
        },
        signOutPerson: ({ person }) => (need(person), {}),
        deletePerson: ({ person, dryRun }) =>
          put(dryRun, { ...need(person), state: AccountState.DELETED, deletedMs: 1n }),
        restorePerson: ({ person, dryRun }) =>
          put(dryRun, { ...need(person), state: AccountState.ENABLED, deletedMs: 0n }),
        setRoles: ({ person, roles, dryRun }) => put(dryRun, { ...need(person), roles }),
        importPeople({ rows, dryRun }) {
          const failure = here.failures.shift();
          if (failure) throw failure;
          here.imports.push({ rows: rows.length, dryRun });
          return { outcomes: rows.map(row => importRow(row, dryRun)) };
        },
        putGroup({ name, newName, description, addMembers, removeMembers, dryRun }) {
          const [adding, removing] = [addMembers, removeMembers].map((members, kind) =>
            members.map((m, i) => need(m, `${kind === 0 ? 'add' : 'remove'}_members[${i}]`).person?.id ?? ''),
          );
          const group = groups.get(name) ?? { id: `g-${groups.size}`, description: '', members: new Set<string>() };
          if (dryRun) return { group: { ...groupOf(name), id: group.id } };
          for (const id of adding ?? []) group.members.add(id);
          for (const id of removing ?? []) group.members.delete(id);
          if (newName) groups.delete(name);
          groups.set(newName || name, { ...group, description: description ?? group.description });
          return { group: groupOf(newName || name) };
        },
        deleteGroup({ group, dryRun }) {
          const name = needGroup(group);
          if (!dryRun) groups.delete(name);
          return {};
        },
      });
  }
  return here;
}
