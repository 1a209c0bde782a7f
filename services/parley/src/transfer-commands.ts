import { systemClock, systemIds } from '@parley/runtime';
import { type Command, InvalidArgumentError } from 'commander';
import { type BackupOptions, backup, verifyBackup } from './commands/backup.ts';
import { commandContext } from './commands/context.ts';
import { type ExportOptions, exportAll } from './commands/export.ts';
import { type ImportOptions, importAll } from './commands/import.ts';
import { type RestoreOptions, restore } from './commands/restore.ts';
import { progressOn } from './transfer/progress.ts';

type Print = (lines: readonly string[]) => void;

/** `backup`, `backup verify`, `restore`, `export` and `import`. */
export function transferCommands(command: (name: string, text: string) => Command, print: Print): void {
  const progress = () => progressOn(process.stderr, systemClock);
  const MANIFEST = '--manifest-sha256 <hex>';
  const MANIFEST_TEXT = 'refuse any but the manifest with this SHA-256, as it was printed when it was made';

  const backups = command('backup', 'copy a standalone installation into a new directory, also while it runs')
    .option('--to <dir>', 'directory to make')
    .option('--keys', 'take private keys along; whoever has them can sign in as anybody')
    .option('--no-keys', 'leave private keys out (default)')
    .action(async (options: Partial<BackupOptions>) => {
      const { to } = options;
      if (to === undefined) return backups.error('error: name the directory to make with --to <dir>');
      print(await backup(commandContext(options, 'warn'), { ...options, to, keys: options.keys === true }, progress()));
    });
  backups
    .command('verify')
    .description('check that a backup is as it was written, and its database')
    .argument('<dir>', 'the backup')
    .option('--full', 'compare indexes with tables, too; takes longer')
    .option(MANIFEST, MANIFEST_TEXT)
    .action(async (dir: string, options: { readonly full?: boolean; readonly manifestSha256?: string }) =>
      print(await verifyBackup(dir, options, progress())),
    );

  command('restore', 'put a backup into an empty data directory')
    .requiredOption('--from <dir>', 'the backup')
    .option('--no-keys', 'leave out private keys that are in the backup')
    .option(MANIFEST, MANIFEST_TEXT)
    .action(async (options: RestoreOptions) =>
      print(await restore({ clock: systemClock, ids: systemIds }, options, progress())),
    );

  command('export', 'write a stopped installation into a new directory, for another one of either topology')
    .requiredOption('--to <dir>', 'directory to make')
    .option('--keys', 'take private keys along; whoever has them can sign in as anybody')
    .option('--no-keys', 'leave private keys out (default)')
    .option('--wait <seconds>', 'how long the log may take to be read to its end', seconds, 300)
    .action(async (options: ExportOptions & { readonly wait: number }) =>
      print(await exportAll(commandContext(options, 'warn'), { ...options, waitMs: options.wait * 1000 }, progress())),
    );

  command('import', 'fill an empty installation with an export; cut off, it goes on when run again')
    .requiredOption('--from <dir>', 'the export')
    .option('--no-keys', 'leave out private keys that are in the export')
    .option(MANIFEST, MANIFEST_TEXT)
    .action(async (options: ImportOptions) =>
      print(await importAll(commandContext(options, 'warn'), options, progress())),
    );
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || value > 86_400) throw new InvalidArgumentError('0 to 86,400 seconds.');
  return value;
}
