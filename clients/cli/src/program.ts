import { ConnectError } from '@connectrpc/connect';
import { toClientError } from '@parley/client';
import { Command, CommanderError, Option, type OutputConfiguration } from 'commander';
import { archiveCommand } from './commands/archive.ts';
import { auditCommand } from './commands/audit.ts';
import { chatCommand } from './commands/chat.ts';
import { doctorCommand } from './commands/doctor.ts';
import { explainCommand } from './commands/explain.ts';
import { groupsCommand } from './commands/groups.ts';
import { imCommand } from './commands/im.ts';
import { policyCommand } from './commands/policy.ts';
import { presenceCommand } from './commands/presence.ts';
import { probeCommand } from './commands/probe.ts';
import { signInCommands } from './commands/sign-in.ts';
import { traceCommand } from './commands/trace.ts';
import { usersCommand } from './commands/users.ts';
import { parseDuration } from './duration.ts';
import { EXIT, EXIT_CODE_TEXTS, exitCodeOf, UsageError } from './exit-codes.ts';
import type { Io } from './io.ts';
import { renderFailure } from './output/failure.ts';
import { cliReference } from './reference.ts';
import { createShell, type Shell } from './shell.ts';
import { VERSION } from './version.ts';

/** The commands of `parleyctl`. */
export function createProgram(shell: Shell, io?: Pick<Io, 'stdout' | 'stderr'>, json = false): Command {
  const program = new Command('parleyctl')
    .description('Talk, watch and administer a Parley server from the command line.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .addOption(
      new Option('-p, --profile <name>', 'sign-in to use; each has its server')
        .env('PARLEYCTL_PROFILE')
        .default('default'),
    )
    .option('-s, --server <url>', 'server of a new profile, like https://parley.hospital.example')
    .option('--json', 'print one JSON value, or JSON lines where a command goes on')
    .option('--no-color', 'no colour (NO_COLOR is honoured too)')
    .addOption(
      new Option('--timeout <duration>', 'longest time for one answer of the server: 10s, 2m')
        .argParser(parseDuration)
        .default(10_000, '10s'),
    )
    .option('--insecure-http', 'allow http:// to other machines at sign-in')
    .addHelpText('after', `\n${exitCodeHelp()}\n\nEnvironment:\n${environmentHelp()}`);
  for (const command of [
    ...signInCommands(shell),
    presenceCommand(shell),
    imCommand(shell),
    chatCommand(shell),
    usersCommand(shell),
    groupsCommand(shell),
    archiveCommand(shell),
    auditCommand(shell),
    policyCommand(shell),
    explainCommand(shell),
    traceCommand(shell),
    doctorCommand(shell),
    probeCommand(shell),
  ])
    program.addCommand(command);
  program
    .command('reference', { hidden: true })
    .description('print the reference of all commands as Markdown')
    .action(() => void (io?.stdout ?? process.stdout).write(cliReference(program, ENVIRONMENT)));
  for (const command of [program, ...descendants(program)]) {
    command.exitOverride().configureHelp({ showGlobalOptions: true });
    if (io) command.configureOutput(outputTo(io, json));
  }
  return program;
}

/** Help goes to standard output; what commander finds wrong looks like every other failure. */
function outputTo({ stdout, stderr }: Pick<Io, 'stdout' | 'stderr'>, json: boolean): OutputConfiguration {
  return {
    writeOut: text => void stdout.write(text),
    writeErr: text => void stderr.write(text),
    getOutHelpWidth: () => Math.min(stdout.columns ?? 80, 100),
    getOutHasColors: () => false,
    getErrHasColors: () => false,
    outputError(text, write) {
      const message = text.trim().replace(/^error: /, '');
      write(renderFailure(new UsageError(message, 'Add --help to see how the command is used.'), json));
    },
  };
}

/** Variables of the environment and what they do. */
export const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['PARLEYCTL_PROFILE', 'profile, where --profile is not given'],
  ['PARLEYCTL_SERVER', 'server of a new profile, where --server is not given'],
  ['PARLEYCTL_PASSWORD, PARLEYCTL_PASSWORD_FILE', 'your password, or the file that holds it'],
  ['PARLEYCTL_NEW_PASSWORD, PARLEYCTL_NEW_PASSWORD_FILE', 'a password to be set, or the file that holds it'],
  ['XDG_CONFIG_HOME', 'profiles are below it in parley/ (default ~/.config)'],
  ['NO_COLOR', 'no colour when set'],
];

/** Runs one command line; resolves with the exit code, never rejects. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const shell = createShell(io);
  const json = args.slice(0, args.includes('--') ? args.indexOf('--') : undefined).includes('--json');
  const program = createProgram(shell, io, json);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return shell.exitCode();
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (io.interrupted.aborted) return EXIT.interrupted;
    if (error instanceof DOMException && error.name === 'AbortError') return EXIT.interrupted;
    const failure = error instanceof ConnectError ? toClientError(error) : error;
    if (io.stderr.isTTY && !json) io.stderr.write('\r\u001b[K'); // a line of progress may stand there
    io.stderr.write(renderFailure(failure, json));
    if (io.env.PARLEYCTL_DEBUG && error instanceof Error) io.stderr.write(`${error.stack}\n`);
    return exitCodeOf(failure);
  }
}

function descendants(command: Command): Command[] {
  return command.commands.flatMap(child => [child, ...descendants(child)]);
}

function exitCodeHelp(): string {
  return `Exit codes:\n${EXIT_CODE_TEXTS.map(([code, text]) => `  ${String(code).padStart(3)}  ${text}`).join('\n')}`;
}

function environmentHelp(): string {
  return ENVIRONMENT.map(([name, text]) => `  ${name}\n      ${text}`).join('\n');
}
