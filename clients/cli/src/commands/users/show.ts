import { type Account, AccountState } from '@parley/contracts/directory/v1/person';
import type { Cli } from '../../cli.ts';
import { accountJson, accountState, personJson, personText, roleName } from '../../output/shapes.ts';
import { oneLine, sanitise } from '../../output/text.ts';
import { isoOf, timeOf } from '../../output/time.ts';

/** Accounts a page of the list holds at most. */
const PAGE = 500;

/** States by the names used on the command line. */
export const STATES: Readonly<Record<string, AccountState>> = {
  enabled: AccountState.ENABLED,
  disabled: AccountState.DISABLED,
  deleted: AccountState.DELETED,
};

/** `users show`. */
export async function show(cli: Cli, _: unknown, reference: string): Promise<void> {
  const { directoryAdmin, directory } = cli.client().services;
  const { account } = await directoryAdmin.getAccount({ person: reference });
  const person = account?.person;
  if (!person) throw new Error('the server answered without an account');
  const [manager, groups] = await Promise.all([
    person.managerId === '' ? undefined : cli.people.nameOf(person.managerId),
    groupsOf(cli, person.id),
  ]);
  const told = manager ?? '';
  const more = { ...(manager !== undefined && { manager: { id: person.managerId, displayName: told } }), groups };
  showAccount(cli, account, more, [
    ...field('manager', told),
    ...field('groups', groups.join(', ')),
    ...field('photo', person.photoVersion === '' ? 'no' : 'yes'),
  ]);

  async function groupsOf(here: Cli, memberId: string): Promise<string[]> {
    const names: string[] = [];
    for (let cursor = '', more_ = true; more_; more_ = cursor !== '') {
      const page = await directory.listGroups({ memberId, limit: 200, cursor }, { signal: here.io.interrupted });
      names.push(...page.groups.map(group => group.name));
      cursor = page.nextCursor;
    }
    return names;
  }
}

/** `users list`. */
export async function list(cli: Cli, options: { limit?: number; state?: string }): Promise<void> {
  const accounts: Account[] = [];
  const wanted = options.limit ?? Number.POSITIVE_INFINITY;
  const state = STATES[options.state ?? ''] ?? AccountState.UNSPECIFIED;
  for (let cursor = '', more = true; more && accounts.length < wanted; more = cursor !== '') {
    const limit = Math.min(PAGE, wanted - accounts.length);
    const request = { cursor, limit, state };
    const page = await cli.client().services.directoryAdmin.listAccounts(request, { signal: cli.io.interrupted });
    accounts.push(...page.accounts);
    cursor = page.nextCursor;
    cli.print.progress(`${accounts.length} accounts`);
  }
  const now = cli.io.now();
  cli.print.result(
    accounts.map(a => accountJson(a, now)),
    () =>
      cli.print.table(
        ['ADDRESS', 'NAME', 'STATE', 'ROLES', 'ID'],
        accounts.map(a => [
          a.person?.primaryAddress ?? '',
          a.person?.displayName ?? '',
          { text: accountState(a, now), paint: text => cli.print.style(text === 'enabled' ? 'green' : 'red', text) },
          a.roles.map(roleName).join(', '),
          a.person?.id ?? '',
        ]),
      ),
  );
}

/** `users search`. */
export async function search(cli: Cli, options: { limit: number }, words: readonly string[]): Promise<void> {
  const query = { query: words.join(' '), limit: options.limit };
  const { people, truncated } = await cli.client().services.directory.searchPeople(query);
  cli.print.result(people.map(personJson), () =>
    people.length === 0
      ? ['Nobody.']
      : cli.print.table(
          ['NAME', 'ADDRESS', 'DEPARTMENT', 'TITLE'],
          people.map(p => [p.displayName, p.primaryAddress, p.department, p.title]),
        ),
  );
  if (truncated) cli.print.note('There are more: add a word or --limit.');
}

const field = (name: string, value: string) => (value === '' ? [] : [`  ${name.padEnd(11)}  ${oneLine(value)}`]);

/** Prints an account, for machines with `more`, for people with `lines`. */
export function showAccount(
  cli: Cli,
  account: Account | undefined,
  more: object = {},
  lines: readonly string[] = [],
): void {
  const person = account?.person;
  if (!account || !person) throw new Error('the server answered without an account');
  const now = cli.io.now();
  const state = accountState(account, now);
  const until = state === 'locked' ? ` until ${timeOf(Number(account.lockedUntilMs), now)}` : '';
  const since = account.deletedMs > 0n ? ` since ${timeOf(Number(account.deletedMs), now)}` : '';
  cli.print.result({ ...accountJson(account, now), ...more }, () => [
    sanitise(personText(person)),
    ...field('id', person.id),
    ...field('external id', account.externalId),
    ...field('state', `${state}${until}${since}${account.hasPassword ? '' : ', no password'}`),
    ...field('roles', account.roles.map(roleName).join(', ')),
    ...field('department', person.department),
    ...field('title', person.title),
    ...field('language', person.language),
    ...field('site', person.site),
    ...field('also', person.addresses.filter(a => a !== person.primaryAddress).join(', ')),
    ...field('formerly', account.formerAddresses.map(f => f.address).join(', ')),
    ...field('since', isoOf(account.createdMs)?.slice(0, 10) ?? ''),
    ...lines,
  ]);
}
