import { randomUUID } from 'node:crypto';
import type { Role } from '@parley/contracts';
import { isProblem, type PeopleRow, type Problem, readPeopleFile } from '@parley/people-file';
import { Command, InvalidArgumentError } from 'commander';
import { type Done, forEach, type Task } from '../../bulk.ts';
import type { Cli } from '../../cli.ts';
import { UsageError } from '../../exit-codes.ts';
import { bytesOf, fileFailure } from '../../input-file.ts';
import {
  generatePassword,
  generates,
  type NewPasswordOptions,
  newPassword,
  passwordOptions,
} from '../../new-password.ts';
import { ROLE_NAMES } from '../../output/shapes.ts';
import { retrying } from '../../retry.ts';
import { examples, type Shell } from '../../shell.ts';
import { type ManyOptions, manyOptions, refused, showWithPassword, would } from './accounts.ts';

/** `users add`. */
export const addCommand = (shell: Shell): Command =>
  examples(
    manyOptions(
      passwordOptions(
        new Command('add')
          .description('make a person with a local account, or many from a file')
          .argument('[address]', 'user@domain, in a domain of the organisation')
          .option('--name <name>', 'name to show')
          .option('--role <role>', `role to hold, repeatable: ${Object.keys(ROLE_NAMES).join(', ')}`, collectRole, [])
          .option('--department <text>', 'department')
          .option('--title <text>', 'job title')
          .option('--language <tag>', 'language, like zh-TW')
          .option('--site <name>', 'site whose policies apply'),
      )
        .option('--no-password', 'without a password: cannot sign in until one is set')
        .option('--keep-password', 'do not ask for a new password at the first sign-in'),
      'CSV with the columns address, name and, if wanted, department, title, language, site, password',
    ).action(shell.action(addPeople)),
    'users add tom.okafor@hospital.example --name "Tom Okafor" --generate-password',
    'users add officer@hospital.example --name "Olu Bello" --role compliance-officer',
    'users add --file newcomers.csv --generate-password',
  );

function collectRole(name: string, before: readonly Role[]): readonly Role[] {
  const role = ROLE_NAMES[name];
  if (role === undefined) throw new InvalidArgumentError(`Roles are ${Object.keys(ROLE_NAMES).join(', ')}.`);
  return [...before, role];
}

interface AddOptions extends NewPasswordOptions, ManyOptions {
  readonly name?: string;
  readonly role: readonly Role[];
  readonly department?: string;
  readonly title?: string;
  readonly language?: string;
  readonly site?: string;
  readonly password: boolean;
  readonly keepPassword?: boolean;
}

async function addPeople(cli: Cli, options: AddOptions, address: string | undefined): Promise<number | void> {
  if (options.file !== undefined) return addFromFile(cli, options, options.file, address);
  if (address === undefined) throw new UsageError('whom?', 'Give an address, or a file with --file.');
  if (options.name === undefined) throw new UsageError('what is the person called?', 'Give --name.');
  const first = options.password ? await newPassword(cli, options) : { password: '', generated: false };
  const { department, title, language, site, dryRun = false } = options;
  const some = { department, title, language, site };
  const details = Object.fromEntries(Object.entries(some).filter(([, value]) => value !== undefined));
  const account = await create(cli, options, { address, displayName: options.name, ...details }, first.password);
  showWithPassword(cli, account, { ...first, generated: first.generated && !dryRun });
  if (dryRun) cli.print.note('Nothing was changed (--dry-run).');
  return undefined;
}

type Details = Pick<PeopleRow, 'address' | 'displayName' | 'department' | 'title' | 'language' | 'site'>;

/** Made once, however often it is repeated. */
async function create(cli: Cli, options: AddOptions, details: Details, password: string) {
  const requestId = randomUUID();
  const { address, displayName = '', department = '', title = '', language = '', site = '' } = details;
  const { account } = await retrying(cli, () =>
    cli.client().services.directoryAdmin.createPerson({
      requestId,
      address,
      displayName,
      initialPassword: password,
      passwordChangeRequired: password !== '' && !options.keepPassword,
      roles: [...options.role],
      department,
      title,
      language,
      site,
      dryRun: options.dryRun === true,
    }),
  );
  return account;
}

/** What only an import sets. */
const OF_IMPORTS = ['other_addresses', 'manager', 'groups', 'photo', 'external_id', 'enabled'] as const;

async function addFromFile(
  cli: Cli,
  options: AddOptions,
  file: string,
  address: string | undefined,
): Promise<number | void> {
  if (
    address !== undefined ||
    options.name !== undefined ||
    options.passwordStdin ||
    options.passwordFile !== undefined
  )
    throw new UsageError('give no address, --name or password with --file: they stand in it');
  const { dryRun } = options;
  const generate = generates(options);
  try {
    return await forEach<Task & { readonly row: PeopleRow }>(cli, rows(), async ({ row }): Promise<Done> => {
      const given = row.initialPassword ?? '';
      if (given === '' && !generate && options.password)
        throw refused('cli.password_missing', 'no password; --generate-password makes one, --no-password does without');
      const password = given === '' && generate ? generatePassword() : given;
      const { department = options.department, title = options.title } = row;
      const { language = options.language, site = options.site } = row;
      const more = Object.entries({ department, title, language, site }).filter(([, value]) => value !== undefined);
      const account = await create(cli, options, { ...row, ...Object.fromEntries(more) }, password);
      const told = given === '' && generate && !dryRun;
      return {
        outcome: would(dryRun, 'added'),
        ...(told && { detail: password }),
        json: { ...(!dryRun && { id: account?.person?.id }), ...(told && { password }) },
      };
    });
  } catch (error) {
    throw fileFailure(file, error);
  }

  async function* rows(): AsyncGenerator<(Task & { readonly row: PeopleRow }) | Problem> {
    const items = readPeopleFile(bytesOf(cli, file), {
      format: 'csv',
      ignore: OF_IMPORTS,
      ...(options.encoding !== undefined && { encoding: options.encoding }),
      onHeader({ ignored }) {
        if (ignored.length > 0) cli.print.note(`Columns left out: ${ignored.join(', ')}. See parleyctl users import.`);
      },
    });
    for await (const item of items) {
      if (isProblem(item)) yield item;
      else if ('row' in item) yield { line: item.line, person: item.row.address, row: item.row };
    }
  }
}
