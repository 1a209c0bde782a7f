import type { Role } from '@parley/contracts';
import { Argument, Command, Option } from 'commander';
import type { Cli } from '../cli.ts';
import { parseCount } from '../duration.ts';
import { UsageError } from '../exit-codes.ts';
import { ROLE_NAMES, roleName } from '../output/shapes.ts';
import { examples, type Shell } from '../shell.ts';
import { renameCommand, resetPasswordCommand, simpleCommands } from './users/accounts.ts';
import { addCommand } from './users/add.ts';
import { importCommand } from './users/import.ts';
import { photoCommand } from './users/photo.ts';
import { list, STATES, search, show, showAccount } from './users/show.ts';

const PERSON = ['<person>', 'address or id'] as const;

/** `users search|show|list|add|import|rename|photo|disable|enable|unlock|sign-out|delete|restore|reset-password|roles`. */
export function usersCommand(shell: Shell): Command {
  const users = new Command('users').description('find and administer people');
  for (const command of [
    examples(
      new Command('search')
        .description('find people whose names or addresses begin with the words')
        .argument('<word...>', 'every word must match')
        .option('--limit <count>', 'how many at most, 1 to 100', parseCount(1, 100), 20)
        .action(shell.action(search)),
      'users search okafor',
      'users search 美玲',
    ),
    new Command('show')
      .description('show an account, its manager and its groups')
      .argument(...PERSON)
      .action(shell.action(show)),
    new Command('list')
      .description('list accounts in order of id')
      .addOption(
        new Option('--state <state>', 'only these; default: all that are not deleted').choices(Object.keys(STATES)),
      )
      .option('--limit <count>', 'the first so many; default: all', parseCount(1, 1_000_000))
      .action(shell.action(list)),
    addCommand(shell),
    importCommand(shell),
    renameCommand(shell),
    photoCommand(shell),
    ...simpleCommands(shell),
    resetPasswordCommand(shell),
    examples(
      new Command('roles')
        .description('show the roles of a person, or replace them')
        .argument(...PERSON)
        .addArgument(new Argument('[role...]', 'all roles from now on').choices(Object.keys(ROLE_NAMES)))
        .option('--none', 'take every role away')
        .option('-n, --dry-run', 'say what would be done, and do nothing')
        .action(shell.action(roles)),
      'users roles officer@hospital.example compliance-officer viewer',
    ),
  ])
    users.addCommand(command);
  return users;
}

async function roles(
  cli: Cli,
  options: { none?: boolean; dryRun?: boolean },
  person: string,
  names: readonly string[],
): Promise<void> {
  const { directoryAdmin } = cli.client().services;
  if (options.none && names.length > 0) throw new UsageError('--none and roles contradict each other');
  if (!options.none && names.length === 0) {
    const { account } = await directoryAdmin.getAccount({ person });
    const held = account?.roles.map(roleName) ?? [];
    return cli.print.result(held, () => (held.length > 0 ? held : ['No roles.']));
  }
  const wanted: Role[] = names.map(name => ROLE_NAMES[name] as Role);
  const { account } = await directoryAdmin.setRoles({ person, roles: wanted, dryRun: options.dryRun === true });
  showAccount(cli, account);
  if (options.dryRun) cli.print.note('Nothing was changed (--dry-run).');
}
