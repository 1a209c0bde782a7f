import { hostname } from 'node:os';
import { memoryTokenStore, ParleyClientError } from '@parley/client';
import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { UsageError } from '../exit-codes.ts';
import { personJson, personText, roleName } from '../output/shapes.ts';
import { sanitise } from '../output/text.ts';
import { isoOf, lengthOf } from '../output/time.ts';
import { serverUrl } from '../server-url.ts';
import { examples, type Shell } from '../shell.ts';

interface PasswordOptions {
  readonly passwordStdin?: boolean;
  readonly passwordFile?: string;
  readonly newPasswordFile?: string;
}

/** `login`, `logout`, `whoami`, `password`. */
export function signInCommands(shell: Shell): Command[] {
  return [
    examples(
      new Command('login')
        .description('sign in; the profile keeps server and sign-in, never the password')
        .argument('<address>', 'your address, user@domain')
        .option(
          '--password-stdin',
          'read the password from standard input (second line: the new one, where one is asked for)',
        )
        .option('--password-file <file>', 'read the password from a file')
        .option('--new-password-file <file>', 'where a new password is asked for, read it from a file')
        .action(shell.action(login)),
      'login --server https://parley.hospital.example mei.lin@hospital.example',
      'login --profile officer --password-stdin officer@hospital.example < password.txt',
    ),
    examples(
      new Command('logout')
        .description('end this sign-in')
        .option('--everywhere', 'end every sign-in of yours, on all devices')
        .action(shell.action(logout)),
      'logout --everywhere',
    ),
    new Command('whoami').description('say who is signed in, where, and with which roles').action(shell.action(whoami)),
    examples(
      new Command('password')
        .description('change your password; ends all your other sign-ins')
        .option('--password-stdin', 'read the present password and the new one from two lines of standard input')
        .option('--password-file <file>', 'read the present password from a file')
        .option('--new-password-file <file>', 'read the new password from a file')
        .action(shell.action(changePassword)),
      'password',
    ),
  ];
}

/** Where the password until now comes from. */
const presentPassword = (options: PasswordOptions, prompt: string) => ({
  prompt,
  file: options.passwordFile,
  variable: 'PARLEYCTL_PASSWORD',
  ...(options.passwordStdin && { stdinLine: 0 }),
});

/** Where the password from now on comes from. */
const nextPassword = (options: PasswordOptions) => ({
  prompt: 'New password',
  confirm: true,
  file: options.newPasswordFile,
  variable: 'PARLEYCTL_NEW_PASSWORD',
  ...(options.passwordStdin && { stdinLine: 1 }),
});

async function login(cli: Cli, options: PasswordOptions, address: string): Promise<void> {
  const { profile, print, secrets, io } = cli;
  const asked = cli.options.server ?? (io.env.PARLEYCTL_SERVER || profile.server());
  if (asked === undefined)
    throw new UsageError('which server?', 'Name it: --server https://parley.hospital.example (the profile keeps it)');
  const baseUrl = serverUrl(asked, cli.options.insecureHttp === true || asked === profile.server());
  const before = { server: profile.server(), tokens: await profile.tokens.load() };
  const password = await secrets.read(presentPassword(options, `Password of ${sanitise(address)}`));

  // the profile changes only once the server has said yes
  const tokens = memoryTokenStore();
  const fresh = cli.newClient({ baseUrl, tokens });
  const { person, passwordChangeRequired } = await fresh.signIn(address, password, {
    deviceLabel: `parleyctl on ${hostname()}`.slice(0, 128),
    signal: io.interrupted,
  });
  if (before.server && before.tokens)
    await cli
      .newClient({ baseUrl: before.server })
      .signOut()
      .catch(() => undefined); // else it ends by itself later
  const signedIn = await tokens.load();
  if (!signedIn) throw new Error('the sign-in left no tokens');
  await profile.exclusive('sign-in', async () => {
    profile.setServer(baseUrl);
    await profile.tokens.save(signedIn);
  });
  if (passwordChangeRequired) {
    print.note('This password was set by somebody else: choose one of your own.');
    await cli.newClient({ baseUrl }).changePassword(password, await secrets.read(nextPassword(options)));
  }
  print.result({ profile: profile.name, server: baseUrl, person: personJson(person) }, () => [
    `Signed in as ${sanitise(personText(person))} at ${baseUrl} (profile ${profile.name}).`,
  ]);
}

async function logout(cli: Cli, options: { everywhere?: boolean }): Promise<void> {
  const everywhere = options.everywhere ?? false;
  if ((await cli.profile.tokens.load()) === undefined) {
    return cli.print.result({ signedOut: false }, () => ['Nobody was signed in.']);
  }
  await cli.client().signOut({ everywhere });
  cli.print.result({ signedOut: true, everywhere }, () => [everywhere ? 'Signed out on every device.' : 'Signed out.']);
}

async function whoami(cli: Cli): Promise<void> {
  const server = cli.server();
  const { person, roles } = await cli.client().services.directory.getMe({}, { signal: cli.io.interrupted });
  if (!person) throw new Error('the server answered without a person');
  const tokens = await cli.profile.tokens.load();
  const expiresMs = tokens?.refreshExpiresMs ?? 0;
  const value = { profile: cli.profile.name, server, person: personJson(person), roles: roles.map(roleName) };
  cli.print.result({ ...value, signInExpiresAt: isoOf(expiresMs) }, () => [
    sanitise(personText(person)),
    `  id       ${person.id}`,
    ...(roles.length > 0 ? [`  roles    ${roles.map(roleName).join(', ')}`] : []),
    `  server   ${server}`,
    `  profile  ${cli.profile.name}`,
    `  sign-in  ends in ${lengthOf(expiresMs - cli.io.now())} unless used`,
  ]);
}

async function changePassword(cli: Cli, options: PasswordOptions): Promise<void> {
  if ((await cli.profile.tokens.load()) === undefined) await cli.client().services.directory.getMe({}); // tells so
  const current = await cli.secrets.read(presentPassword(options, 'Present password'));
  const next = await cli.secrets.read(nextPassword(options));
  try {
    await cli.client().changePassword(current, next);
  } catch (error) {
    if (error instanceof ParleyClientError && error.retryable)
      cli.print.note('It is not known whether the password was changed: try both when you sign in.');
    throw error;
  }
  cli.print.result({ changed: true }, () => ['Changed. All your other sign-ins have ended.']);
}
