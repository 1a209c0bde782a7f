import { type Command, InvalidArgumentError } from 'commander';
import { type CommonOptions, commandContext } from './commands/context.ts';
import { listKeys, type RotateOptions, retireKeys, rotateKeys } from './commands/keys.ts';

type Print = (lines: readonly string[]) => void;
type Parents = { readonly optsWithGlobals: () => CommonOptions };

/** `keys list`, `keys rotate` and `keys retire`. */
export function keyCommands(command: (name: string, text: string) => Command, print: Print): void {
  const keys = command('keys', 'keys that sign tokens and checkpoints: list them, replace them without a restart');
  keys
    .command('list')
    .description('list the keys, which of them sign, and which can be retired')
    .action((_options: unknown, self: Parents) => print(listKeys(commandContext(self.optsWithGlobals(), 'warn'))));
  keys
    .command('rotate')
    .description('write successors of the keys; running processes follow by themselves')
    .option('--service <name...>', 'only the keys with which these services sign')
    .option('--person-token', 'only the key that signs access tokens')
    .option('--checkpoint', 'only the key that signs checkpoints of the archive')
    .option(
      '--sign-after <seconds>',
      'until then new keys are only made known; 0 after a key has become known to somebody else',
      seconds,
      900,
    )
    .action((options: RotateOptions, self: Parents) =>
      print(rotateKeys(commandContext(self.optsWithGlobals(), 'warn'), options)),
    );
  keys
    .command('retire')
    .description('remove key files that nobody needs any more')
    .option('--dry-run', 'only say which')
    .action((options: { readonly dryRun?: boolean }, self: Parents) =>
      print(retireKeys(commandContext(self.optsWithGlobals(), 'warn'), options)),
    );
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 2_592_000)
    throw new InvalidArgumentError('0 to 2,592,000 whole seconds.');
  return value;
}
