import { Code } from '@connectrpc/connect';
import { ParleyClientError } from '@parley/client';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { isProblem, type Problem, readTable } from '@parley/people-file';
import { Command } from 'commander';
import { type Done, forEach, type Task } from '../../bulk.ts';
import type { Cli } from '../../cli.ts';
import { UsageError } from '../../exit-codes.ts';
import { bytesOf, fileFailure, readList } from '../../input-file.ts';
import {
  generatePassword,
  generates,
  type NewPasswordOptions,
  newPassword,
  passwordOptions,
} from '../../new-password.ts';
import { retrying } from '../../retry.ts';
import { examples, type Shell } from '../../shell.ts';
import { showAccount } from './show.ts';

/** Options of commands that do the same for many. */
export interface ManyOptions {
  readonly file?: string;
  readonly encoding?: string;
  readonly dryRun?: boolean;
}

/** Adds `--file`, `--encoding` and `--dry-run`. */
export const manyOptions = (command: Command, file: string): Command =>
  command
    .option('-f, --file <file>', `${file}; - for standard input`)
    .option('-e, --encoding <name>', 'encoding of the file, like big5; default: its mark, else UTF-8')
    .option('-n, --dry-run', 'say what would be done, and do nothing');

const admin = (cli: Cli) => cli.client().services.directoryAdmin;
const NOTHING_CHANGED = 'Nothing was changed (--dry-run).';

/** People that a command names by arguments or by a file. */
export async function people(
  cli: Cli,
  options: ManyOptions,
  names: readonly string[],
): Promise<AsyncIterable<Task | Problem> | readonly Task[]> {
  if (options.file === undefined && names.length === 0)
    throw new UsageError('whom?', 'Name people by address or id, or give a list with --file.');
  if (options.file !== undefined && names.length > 0) throw new UsageError('name people or give --file, not both');
  if (options.file === undefined) return names.map(person => ({ person }));
  return readList(cli, options.file, options.encoding);
}

interface Simple {
  readonly name: string;
  readonly text: string;
  /** What somebody is afterwards. */
  readonly outcome: string;
  readonly work: (
    cli: Cli,
    person: string,
    dryRun: boolean,
  ) => Promise<{ account?: Parameters<typeof showAccount>[1] }>;
}

const SIMPLE: readonly Simple[] = [
  {
    name: 'disable',
    text: 'forbid sign-in; open streams end within 30 seconds',
    outcome: 'disabled',
    work: (cli, person, dryRun) => admin(cli).setAccountState({ person, state: AccountState.DISABLED, dryRun }),
  },
  {
    name: 'enable',
    text: 'allow sign-in again',
    outcome: 'enabled',
    work: (cli, person, dryRun) => admin(cli).setAccountState({ person, state: AccountState.ENABLED, dryRun }),
  },
  {
    name: 'unlock',
    text: 'end a lock-out after wrong passwords',
    outcome: 'unlocked',
    work: (cli, person, dryRun) => admin(cli).unlockAccount({ person, dryRun }),
  },
  {
    name: 'sign-out',
    text: 'end every sign-in of a person',
    outcome: 'signed out',
    work: (cli, person, dryRun) =>
      admin(cli)
        .signOutPerson({ person, dryRun })
        .then(() => ({})),
  },
  {
    name: 'delete',
    text: 'hide a person from everybody but administrators; messages, archive and addresses stay',
    outcome: 'deleted',
    work: (cli, person, dryRun) => admin(cli).deletePerson({ person, dryRun }),
  },
  {
    name: 'restore',
    text: 'bring a deleted person back',
    outcome: 'restored',
    work: (cli, person, dryRun) => admin(cli).restorePerson({ person, dryRun }),
  },
];

/** `users disable|enable|unlock|sign-out|delete|restore`. */
export const simpleCommands = (shell: Shell): Command[] =>
  SIMPLE.map(simple => {
    const { name, text, outcome, work } = simple;
    const command = new Command(name).description(text).argument('[person...]', 'address or id');
    return examples(
      manyOptions(command, 'a list of people, one a line').action(
        shell.action<ManyOptions, [readonly string[]]>(async (cli, options, names) => {
          const dryRun = options.dryRun === true;
          const tasks = await people(cli, options, names);
          if (Array.isArray(tasks) && tasks.length === 1) {
            const { account } = await work(cli, names[0] as string, dryRun);
            if (account) showAccount(cli, account);
            else
              cli.print.result({ signedOut: !dryRun }, () =>
                dryRun ? [] : ['Every sign-in of this person has ended.'],
              );
            if (dryRun) cli.print.note(NOTHING_CHANGED);
            return undefined;
          }
          return forEach(cli, tasks, async ({ person }) => {
            await retrying(cli, () => work(cli, person, dryRun));
            return { outcome: would(dryRun, outcome) };
          }).catch(error => {
            throw fileFailure(options.file ?? '', error);
          });
        }),
      ),
      `users ${name} tom.okafor@hospital.example`,
      `users ${name} --file leavers.txt --dry-run`,
    );
  });

/** What is, or would be. */
export const would = (dryRun: boolean | undefined, outcome: string): string =>
  dryRun ? `would be ${outcome}` : outcome;

/** `users rename`. */
export const renameCommand = (shell: Shell): Command =>
  examples(
    manyOptions(
      new Command('rename')
        .description('change name or address; history, contacts and archive stay with the person')
        .argument('[person]', 'address or id')
        .option('--name <name>', 'the new name to show')
        .option('--address <address>', 'the new address; the old one keeps leading to the person'),
      'CSV with the columns person, name, address; an empty cell keeps what is',
    ).action(shell.action(rename)),
    'users rename mei.lin@hospital.example --address mei.wu@hospital.example --name "Mei Wu"',
    'users rename --file weddings.csv',
  );

interface RenameOptions extends ManyOptions {
  readonly name?: string;
  readonly address?: string;
}

async function rename(cli: Cli, options: RenameOptions, person: string | undefined): Promise<number | void> {
  const { name = '', address = '', file, dryRun = false } = options;
  const call = (who: string, displayName: string, primaryAddress: string) =>
    admin(cli).renamePerson({ person: who, displayName, primaryAddress, dryRun });
  if (file === undefined) {
    if (person === undefined) throw new UsageError('whom?', 'Name a person by address or id, or give --file.');
    if (name === '' && address === '') throw new UsageError('what is to change?', 'Give --name or --address.');
    showAccount(cli, (await call(person, name, address)).account);
    if (dryRun) cli.print.note(NOTHING_CHANGED);
    return undefined;
  }
  if (person !== undefined || name !== '' || address !== '')
    throw new UsageError('everything stands in the file: give no person, --name or --address with --file');
  const tasks = table(cli, options, ['person', 'name', 'address']);
  return forEach(cli, tasks, async ({ person: who, cells }): Promise<Done> => {
    if (cells.name === '' && cells.address === '') throw refused('cli.nothing_to_change', 'neither name nor address');
    const { account } = await retrying(cli, () => call(who, cells.name ?? '', cells.address ?? ''));
    const now = account?.person;
    const shown = now ? `${now.displayName} <${now.primaryAddress}>` : '';
    return { outcome: would(dryRun, 'renamed'), detail: shown, json: { now: now?.primaryAddress } };
  }).catch(error => {
    throw fileFailure(file, error);
  });
}

/** `users reset-password`. */
export const resetPasswordCommand = (shell: Shell): Command =>
  examples(
    manyOptions(
      passwordOptions(
        new Command('reset-password')
          .description('set a password that its owner must change; ends all sign-ins of that person')
          .argument('[person]', 'address or id'),
      ),
      'CSV with the columns person, password; with --generate-password, a list of people, one a line',
    ).action(shell.action(resetPassword)),
    'users reset-password tom.okafor@hospital.example --generate-password',
    'users reset-password --file newcomers.txt --generate-password --json > passwords.jsonl',
  );

async function resetPassword(
  cli: Cli,
  options: ManyOptions & NewPasswordOptions,
  person: string | undefined,
): Promise<number | void> {
  const { file, dryRun = false } = options;
  const reset = (who: string, password: string) =>
    admin(cli).resetPassword({ person: who, newPassword: password, dryRun });
  if (file === undefined) {
    if (person === undefined) throw new UsageError('whom?', 'Name a person by address or id, or give --file.');
    const next = await newPassword(cli, options);
    const { account } = await reset(person, next.password);
    showWithPassword(cli, account, { ...next, generated: next.generated && !dryRun });
    if (dryRun) cli.print.note(NOTHING_CHANGED);
    return undefined;
  }
  if (person !== undefined || options.passwordStdin || options.passwordFile !== undefined)
    throw new UsageError('give no person and no password with --file: both stand in it, or passwords are generated');
  const generate = generates(options);
  const tasks = generate ? readList(cli, file, options.encoding) : table(cli, options, ['person', 'password']);
  return forEach<Task & { readonly cells?: Readonly<Record<string, string>> }>(cli, tasks, async task => {
    const password = generate ? generatePassword() : (task.cells?.password ?? '');
    if (password === '') throw refused('cli.password_missing', 'no password in this row');
    await retrying(cli, () => reset(task.person, password), { idempotent: false });
    const told = generate && !dryRun;
    return { outcome: would(dryRun, 'reset'), ...(told && { detail: password, json: { password } }) };
  }).catch(error => {
    throw fileFailure(file, error);
  });
}

/** Prints an account with the password that was just made. */
export function showWithPassword(
  cli: Cli,
  account: Parameters<typeof showAccount>[1],
  { password, generated }: { readonly password: string; readonly generated: boolean },
): void {
  showAccount(cli, account, generated ? { password } : {}, generated ? [`  password     ${password}`] : []);
}

/** A refusal that this program makes itself, for one of many. */
export const refused = (code: string, message: string) => new ParleyClientError(code, Code.InvalidArgument, message);

/** Rows of a table, the first column of which names a person. */
async function* table(
  cli: Cli,
  { file = '', encoding }: ManyOptions,
  names: readonly string[],
): AsyncGenerator<(Task & { readonly cells: Readonly<Record<string, string>> }) | Problem> {
  const columns = names.map(name => ({ field: name, names: ALSO[name] ?? [name] }));
  for await (const row of readTable(bytesOf(cli, file), { columns, needed: ['person'], encoding })) {
    if (isProblem(row)) {
      yield row;
      continue;
    }
    const cells = Object.fromEntries(names.map(name => [name, row.values(name)?.[0]?.trim() ?? '']));
    const { line } = row;
    if (!cells.person) yield { line, field: 'person', code: 'people_file.value_missing', reason: 'a value is needed' };
    else yield { line, person: cells.person, cells };
  }
}

const ALSO: Readonly<Record<string, readonly string[]>> = {
  person: ['person', 'old address', 'user', 'id'],
  name: ['name', 'display name', 'new name'],
  address: ['address', 'new address', 'mail', 'email'],
  password: ['password', 'new password', 'initial password'],
};
