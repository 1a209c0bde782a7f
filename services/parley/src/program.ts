import { Command, Option } from 'commander';
import { type CommonOptions, commandContext, readConfig } from './commands/context.ts';
import { doctor } from './commands/doctor.ts';
import { type InitOptions, init } from './commands/init.ts';
import { migrate } from './commands/migrate.ts';
import { createAdministrator, createDemo } from './commands/people.ts';
import { serve } from './commands/serve.ts';
import { processTerminal } from './commands/terminal.ts';
import { withDirectory } from './commands/with-directory.ts';
import { PROFILES } from './config-template.ts';
import { refuseDemoHere, removeDemo } from './demo-guard.ts';
import { readHaproxyPlan, renderHaproxy } from './haproxy.ts';
import { hideSecrets } from './hide-secrets.ts';
import { keyCommands } from './key-commands.ts';
import { rightsCommands } from './rights-commands.ts';
import { TARGET_NAMES } from './routes.ts';
import { transferCommands } from './transfer-commands.ts';
import { VERSION } from './version.ts';

/** The commands of `parley`. */
export function program(): Command {
  const parley = new Command('parley')
    .description('The Parley server: instant messaging, presence and a compliance archive of your own.')
    .version(VERSION)
    .showHelpAfterError('(parley --help lists the commands)');
  const command = (name: string, text: string) =>
    parley
      .command(name)
      .description(text)
      .option('--config <file>', 'configuration file (YAML); default: parley.yaml in the data directory, or here')
      .option('--data-dir <dir>', 'directory of database and keys; default: data');
  const print = (lines: readonly string[]) => lines.forEach(line => console.log(line));

  command('serve', 'run the services until told to stop')
    .option('--target <names>', `services of this process, separated by commas: ${TARGET_NAMES.join(', ')}`)
    .option('--insecure-bind', 'allow listeners beyond loopback although they have no TLS')
    .action(async (options: CommonOptions) => {
      process.exit(await serve(options));
    });

  command('init', 'set up a new installation: configuration, keys, database, first administrator; leaves what is there')
    .option('--domain <name...>', 'mail-like domain of the organisation; repeatable')
    .addOption(new Option('--profile <name>', 'defaults to begin with').choices(Object.keys(PROFILES)))
    .option('--administrator <address>', 'address of the first administrator')
    .option('--no-administrator', 'make no administrator')
    .option('--name <name>', "the administrator's name")
    .option('--password-file <file>', 'file to write the one-time password to, instead of showing it')
    .action((options: InitOptions) => init(options, processTerminal()));

  command('migrate', 'create databases, indexes and topics that are missing')
    .option('--finalise', 'write the formats of this version from now on; older servers are refused then')
    .action(async (options: CommonOptions & { readonly finalise?: boolean }) =>
      print(await migrate(commandContext(options, 'warn'), options)),
    );

  command('create-administrator', 'make the first administrator of a stopped standalone installation, or of a pool')
    .requiredOption('--address <address>', 'user@domain')
    .option('--name <name>', 'name to show', 'Administrator')
    .option('--password-file <file>', 'file with the password; default: standard input')
    .action(async (options: CommonOptions & { address: string; name: string; passwordFile?: string }) =>
      print([await createAdministrator(commandContext(options, 'warn'), options)]),
    );

  command('create-demo', 'make the people of the demo organisation, with passwords of this installation alone').action(
    async (options: CommonOptions) => {
      const context = commandContext(options, 'warn');
      refuseDemoHere(context.config);
      print(await createDemo(context));
    },
  );

  command('remove-demo', 'delete the people of the demo organisation; what they said stays').action(
    async (options: CommonOptions) => print([await withDirectory(commandContext(options, 'warn'), removeDemo)]),
  );

  transferCommands(command, print);
  keyCommands(command, print);
  rightsCommands(command);

  command('check-config', 'check the configuration, certificates and key files included, and say every problem')
    .option('--target <names>', 'services of the process that is to run with it, separated by commas')
    .option('--insecure-bind', 'as in `parley serve`')
    .action((options: CommonOptions) => {
      readConfig(options, { strict: true });
      console.log('the configuration is good');
    });

  command('doctor', 'look at everything an installation needs and say what to do; exit code 1 when something is wrong')
    .option('--target <names>', 'services of the process to look at, separated by commas')
    .option('--insecure-bind', 'as in `parley serve`')
    .option('--json', 'print the checks as JSON')
    .action(async (options: CommonOptions & { readonly json?: boolean }) => {
      const { lines, code } = await doctor(options, process.stdout.isTTY && !process.env.NO_COLOR);
      print(lines);
      process.exit(code);
    });

  command('print-config', 'print the configuration as it is in force').action((options: CommonOptions) =>
    console.log(JSON.stringify(hideSecrets(readConfig(options)), null, 2)),
  );

  command('print-haproxy', 'print an HAProxy configuration for a plan of replicas')
    .requiredOption(
      '--plan <json>',
      '{"publicBind", "grpcBind", "replicas": [{"target", "host", "publicPort", "grpcPort", "adminPort", "atMost"}]}; with "atMost" the host is a name that leads to so many replicas at most and is looked up again ("nameServers", else those of the system)',
    )
    .action((options: { plan: string }) => console.log(renderHaproxy(readHaproxyPlan(options.plan))));
  return parley;
}
