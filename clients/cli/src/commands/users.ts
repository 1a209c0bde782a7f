import { randomInt, randomUUID } from 'node:crypto';
import type { Role } from '@parley/contracts';
import { type Account, AccountState } from '@parley/contracts/directory/v1/person';
import { Argument, Command, InvalidArgumentError } from 'commander';
import type { Cli } from '../cli.ts';
import { parseCount } from '../duration.ts';
import { UsageError } from '../exit-codes.ts';
import { accountJson, accountState, personJson, personText, ROLE_NAMES, roleName } from '../output/shapes.ts';
import { oneLine, sanitise } from '../output/text.ts';
import { isoOf, timeOf } from '../output/time.ts';
import { examples, type Shell } from '../shell.ts';

const PERSON = ['<person>', 'address or id'] as const;

/** `users add|show|list|search|disable|enable|unlock|reset-password|roles|rename|sign-out`. */
export function usersCommand(shell: Shell): Command {
  const users = new Command('users').description('find and administer people');
  const add = (command: Command) => users.addCommand(command);
  const simple = (name: string, text: string, work: (cli: Cli, person: string) => Promise<Account | undefined>) =>
    add(
      new Command(name)
        .description(text)
        .argument(...PERSON)
        .action(shell.action<unknown, [string]>(async (cli, _, person) => showAccount(cli, await work(cli, person)))),
    );
  add(
    examples(
      new Command('search')
        .description('find people whose names or addresses begin with the words')
        .argument('<word...>', 'every word must match')
        .option('--limit <count>', 'how many at most, 1 to 100', parseCount(1, 100), 20)
        .action(shell.action(search)),
      'users search okafor',
    ),
  );
  add(
    examples(
      new Command('add')
        .description('make a person with a local account')
        .argument('<address>', 'user@domain, in a domain of the organisation')
        .requiredOption('--name <name>', 'name to show')
        .option('--role <role>', `role to hold, repeatable: ${Object.keys(ROLE_NAMES).join(', ')}`, collectRole, [])
        .option('--department <text>', 'department')
        .option('--title <text>', 'job title')
        .option('--language <tag>', 'language, like zh-TW')
        .option('--site <name>', 'site whose policies apply')
        .option('--password-stdin', 'read the first password from standard input')
        .option('--password-file <file>', 'read the first password from a file')
        .option('--generate-password', 'make a first password and print it')
        .option('--no-password', 'without a password: cannot sign in until one is set')
        .option('--keep-password', 'do not ask for a new password at the first sign-in')
        .action(shell.action(addPerson)),
      'users add tom.okafor@hospital.example --name "Tom Okafor" --generate-password',
      'users add officer@hospital.example --name "Olu Bello" --role compliance-officer',
    ),
  );
  simple('show', 'show an account', (cli, person) => admin(cli).getAccount({ person }).then(accountOf));
  add(
    new Command('list')
      .description('list accounts in order of id')
      .option('--limit <count>', 'the first so many; default: all', parseCount(1, 1_000_000))
      .action(shell.action(list)),
  );
  simple('disable', 'forbid sign-in; open streams end within 30 seconds', (cli, person) =>
    admin(cli).setAccountState({ person, state: AccountState.DISABLED }).then(accountOf),
  );
  simple('enable', 'allow sign-in again', (cli, person) =>
    admin(cli).setAccountState({ person, state: AccountState.ENABLED }).then(accountOf),
  );
  simple('unlock', 'end a lock-out after wrong passwords', (cli, person) =>
    admin(cli).unlockAccount({ person }).then(accountOf),
  );
  add(
    new Command('reset-password')
      .description('set a password that its owner must change; ends all sign-ins of that person')
      .argument(...PERSON)
      .option('--password-stdin', 'read the password from standard input')
      .option('--password-file <file>', 'read the password from a file')
      .option('--generate-password', 'make a password and print it')
      .action(shell.action(resetPassword)),
  );
  add(
    examples(
      new Command('roles')
        .description('show the roles of a person, or replace them')
        .argument(...PERSON)
        .addArgument(new Argument('[role...]', 'all roles from now on').choices(Object.keys(ROLE_NAMES)))
        .option('--none', 'take every role away')
        .action(shell.action(roles)),
      'users roles officer@hospital.example compliance-officer viewer',
    ),
  );
  add(
    new Command('rename')
      .description('change name or address; history, contacts and archive stay with the person')
      .argument(...PERSON)
      .option('--name <name>', 'the new name to show')
      .option('--address <address>', 'the new address; the old one keeps leading to the person')
      .action(shell.action(rename)),
  );
  add(
    new Command('sign-out')
      .description('end every sign-in of a person')
      .argument(...PERSON)
      .action(shell.action(signOut)),
  );
  return users;
}

const admin = (cli: Cli) => cli.client().services.directoryAdmin;
const accountOf = ({ account }: { account?: Account | undefined }) => account;

function collectRole(name: string, before: readonly Role[]): readonly Role[] {
  const role = ROLE_NAMES[name];
  if (role === undefined) throw new InvalidArgumentError(`Roles are ${Object.keys(ROLE_NAMES).join(', ')}.`);
  return [...before, role];
}

interface NewPasswordOptions {
  readonly passwordStdin?: boolean;
  readonly passwordFile?: string;
  readonly generatePassword?: boolean;
}

/** A password for somebody else, and whether it has to be told. */
async function newPassword(cli: Cli, options: NewPasswordOptions): Promise<{ password: string; generated: boolean }> {
  if (options.generatePassword) return { password: generatePassword(), generated: true };
  const password = await cli.secrets.read({
    prompt: 'First password',
    confirm: true,
    file: options.passwordFile,
    variable: 'PARLEYCTL_NEW_PASSWORD',
    ...(options.passwordStdin && { stdinLine: 0 }),
  });
  return { password, generated: false };
}

/** 20 characters that are not mistaken for one another, in groups: about 98 bits. */
function generatePassword(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
  const group = () => Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('');
  return [group(), group(), group(), group()].join('-');
}

async function search(cli: Cli, options: { limit: number }, words: readonly string[]): Promise<void> {
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

interface AddOptions extends NewPasswordOptions {
  readonly name: string;
  readonly role: readonly Role[];
  readonly department?: string;
  readonly title?: string;
  readonly language?: string;
  readonly site?: string;
  readonly password: boolean;
  readonly keepPassword?: boolean;
}

async function addPerson(cli: Cli, options: AddOptions, address: string): Promise<void> {
  const { department = '', title = '', language = '', site = '' } = options;
  const first = options.password ? await newPassword(cli, options) : { password: '', generated: false };
  const { account } = await admin(cli).createPerson({
    requestId: randomUUID(),
    address,
    displayName: options.name,
    initialPassword: first.password,
    passwordChangeRequired: first.password !== '' && !options.keepPassword,
    roles: [...options.role],
    department,
    title,
    language,
    site,
  });
  showWithPassword(cli, account, first);
}

async function resetPassword(cli: Cli, options: NewPasswordOptions, person: string): Promise<void> {
  const next = await newPassword(cli, options);
  const { account } = await admin(cli).resetPassword({ person, newPassword: next.password });
  showWithPassword(cli, account, next);
}

async function list(cli: Cli, options: { limit?: number }): Promise<void> {
  const accounts: Account[] = [];
  const wanted = options.limit ?? Number.POSITIVE_INFINITY;
  for (let cursor = '', more = true; more && accounts.length < wanted; more = cursor !== '') {
    const limit = Math.min(500, wanted - accounts.length);
    const page = await admin(cli).listAccounts({ cursor, limit }, { signal: cli.io.interrupted });
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

async function roles(cli: Cli, options: { none?: boolean }, person: string, names: readonly string[]): Promise<void> {
  if (options.none && names.length > 0) throw new UsageError('--none and roles contradict each other');
  if (!options.none && names.length === 0) {
    const { account } = await admin(cli).getAccount({ person });
    const held = account?.roles.map(roleName) ?? [];
    return cli.print.result(held, () => (held.length > 0 ? held : ['No roles.']));
  }
  const { account } = await admin(cli).setRoles({ person, roles: names.map(name => ROLE_NAMES[name] as Role) });
  showAccount(cli, account);
}

async function rename(cli: Cli, options: { name?: string; address?: string }, person: string): Promise<void> {
  const { name = '', address = '' } = options;
  if (name === '' && address === '') throw new UsageError('what is to change?', 'Give --name or --address.');
  const { account } = await admin(cli).renamePerson({ person, displayName: name, primaryAddress: address });
  showAccount(cli, account);
}

async function signOut(cli: Cli, _: unknown, person: string): Promise<void> {
  await admin(cli).signOutPerson({ person });
  cli.print.result({ signedOut: true }, () => ['Every sign-in of this person has ended.']);
}

function showWithPassword(
  cli: Cli,
  account: Account | undefined,
  { password, generated }: { password: string; generated: boolean },
): void {
  showAccount(cli, account, generated ? { password } : {}, generated ? [`  password     ${password}`] : []);
}

function showAccount(cli: Cli, account: Account | undefined, more: object = {}, lines: readonly string[] = []): void {
  const person = account?.person;
  if (!account || !person) throw new Error('the server answered without an account');
  const now = cli.io.now();
  const state = accountState(account, now);
  const until = state === 'locked' ? ` until ${timeOf(Number(account.lockedUntilMs), now)}` : '';
  const field = (name: string, value: string) => (value === '' ? [] : [`  ${name.padEnd(11)}  ${oneLine(value)}`]);
  cli.print.result({ ...accountJson(account, now), ...more }, () => [
    sanitise(personText(person)),
    ...field('id', person.id),
    ...field('state', `${state}${until}`),
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
