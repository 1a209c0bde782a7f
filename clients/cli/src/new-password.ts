import { randomInt } from 'node:crypto';
import { type Command, Option } from 'commander';
import type { Cli } from './cli.ts';

/** Where a password for somebody else comes from. */
export interface NewPasswordOptions {
  readonly passwordStdin?: boolean;
  readonly passwordFile?: string;
  readonly generatePassword?: boolean;
  readonly generate?: boolean;
}

/** Adds the options by which a password for somebody else is given. */
export const passwordOptions = (command: Command): Command =>
  command
    .option('--password-stdin', 'read the password from standard input')
    .option('--password-file <file>', 'read the password from a file')
    .option('--generate-password', 'make a random one-time password and print it, once')
    .addOption(new Option('--generate', 'the same').hideHelp());

/** Whether passwords are to be made. */
export const generates = (options: NewPasswordOptions): boolean =>
  options.generatePassword === true || options.generate === true;

/** A password for somebody else, and whether it has to be told. */
export async function newPassword(
  cli: Cli,
  options: NewPasswordOptions,
): Promise<{ readonly password: string; readonly generated: boolean }> {
  if (generates(options)) return { password: generatePassword(), generated: true };
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
export function generatePassword(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
  const group = () => Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('');
  return [group(), group(), group(), group()].join('-');
}
