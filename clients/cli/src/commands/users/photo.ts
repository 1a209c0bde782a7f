import { readFileSync } from 'node:fs';
import { create } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { ParleyClientError } from '@parley/client';
import { ImportAction, ImportRowSchema } from '@parley/contracts/directory/v1/admin';
import { Command } from 'commander';
import type { Cli } from '../../cli.ts';
import { UsageError } from '../../exit-codes.ts';
import { examples, type Shell } from '../../shell.ts';

/** `users photo`. */
export const photoCommand = (shell: Shell): Command =>
  examples(
    new Command('photo')
      .description('set the picture of a person, or take it away')
      .argument('<person>', 'address or id')
      .argument('[file]', 'PNG, JPEG or WebP, at most 65,536 bytes and 512 x 512 pixels')
      .option('--remove', 'take the picture away')
      .option('-n, --dry-run', 'say what would be done, and do nothing')
      .action(shell.action(setPhoto)),
    'users photo mei.lin@hospital.example mei.jpg',
  );

async function setPhoto(
  cli: Cli,
  options: { remove?: boolean; dryRun?: boolean },
  person: string,
  file: string | undefined,
): Promise<void> {
  if ((file === undefined) === !options.remove) throw new UsageError('give a file, or --remove');
  const { directoryAdmin } = cli.client().services;
  const { account } = await directoryAdmin.getAccount({ person });
  const photo = file === undefined ? new Uint8Array(0) : bytes(file);
  const row = create(ImportRowSchema, { address: account?.person?.primaryAddress ?? '', photo });
  const { outcomes } = await directoryAdmin.importPeople({ rows: [row], dryRun: options.dryRun === true });
  const [outcome] = outcomes;
  if (!outcome || outcome.action === ImportAction.REFUSED)
    throw new ParleyClientError(
      outcome?.code ?? 'client.bad_answer',
      outcome ? Code.InvalidArgument : Code.Internal,
      outcome?.message ?? 'the server answered without an outcome',
      outcome?.field ? { field: outcome.field } : {},
    );
  const changed = outcome.action === ImportAction.UPDATED;
  const done = options.dryRun ? 'would be changed' : 'is changed';
  cli.print.result({ changed, dryRun: options.dryRun === true }, () => [
    changed ? `The picture ${done}.` : 'The picture was that already.',
  ]);
}

function bytes(file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
  }
}
