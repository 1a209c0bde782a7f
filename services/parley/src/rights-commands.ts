import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nkeyOf } from '@parley/bus';
import { type Command, InvalidArgumentError } from 'commander';
import { type CommonOptions, readConfig } from './commands/context.ts';
import { kafkaAclScript, kafkaAcls } from './rights/kafka.ts';
import { MONGO_HOLDERS, mongoScript } from './rights/mongo.ts';
import { type NatsUser, natsPermissions } from './rights/nats.ts';
import { HOLDERS, type Holder, holderName } from './rights/rights.ts';

interface ProcessOptions extends CommonOptions {
  readonly process?: readonly (readonly Holder[])[];
}

/** `print-nats-permissions`, `print-kafka-acls` and `print-mongo-roles`. */
export function rightsCommands(command: (name: string, text: string) => Command): void {
  const PROCESS = '--process <names>';
  const PROCESS_TEXT =
    'services that share a process and so a user, separated by commas; repeatable. Default: each its own';

  command('print-nats-permissions', 'print users and permissions for the configuration of NATS servers')
    .option(PROCESS, PROCESS_TEXT, addProcess)
    .option('--nkeys <dir>', 'sign in with keys instead of passwords: seeds are kept there, missing ones made')
    .action(async (options: ProcessOptions & { readonly nkeys?: string }) => {
      const users = await Promise.all(processesOf(options).map(holders => userOf(holders, options.nkeys)));
      process.stdout.write(natsPermissions(users, readConfig(options)));
    });

  command('print-kafka-acls', 'print a shell script that gives each process its rights at Kafka')
    .option(PROCESS, PROCESS_TEXT, addProcess)
    .action((options: ProcessOptions) => {
      const config = readConfig(options);
      process.stdout.write(kafkaAclScript(kafkaAcls(processesOf(options), config)));
    });

  command('print-mongo-roles', 'print a script for mongosh that gives each service its role and user at MongoDB')
    .option('--import', 'with a user for parley import, who may write everywhere; drop him afterwards')
    .action((options: CommonOptions & { readonly import?: boolean }) => {
      const holders = options.import ? [...MONGO_HOLDERS, 'import' as const] : MONGO_HOLDERS;
      process.stdout.write(mongoScript(holders, readConfig(options)));
    });
}

function addProcess(text: string, before: readonly (readonly Holder[])[] = []): readonly (readonly Holder[])[] {
  const names = text.split(',').map(name => name.trim());
  const strange = names.filter(name => !(HOLDERS as readonly string[]).includes(name));
  if (strange.length > 0) throw new InvalidArgumentError(`${strange.join(', ')}: the names are ${HOLDERS.join(', ')}.`);
  return [...before, names as Holder[]];
}

/** Those named, and whoever else there is by himself. */
function processesOf({ process: named = [] }: ProcessOptions): readonly (readonly Holder[])[] {
  const together = new Set(named.flat());
  return [...named, ...HOLDERS.filter(holder => !together.has(holder)).map(holder => [holder])];
}

/** The seed's file is `nats-<name>.seed`; the directory is made for its owner only. */
async function userOf(holders: readonly Holder[], dir: string | undefined): Promise<NatsUser> {
  if (dir === undefined) return { holders, proof: { kind: 'password' } };
  const file = join(dir, `nats-${holderName(holders)}.seed`);
  if (!existsSync(file)) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    chmodSync(dir, 0o700);
    writeFileSync(file, `${(await nkeyOf()).seed}\n`, { mode: 0o600, flag: 'wx' });
  }
  try {
    const { publicKey } = await nkeyOf(readFileSync(file, 'utf8'));
    return { holders, proof: { kind: 'nkey', publicKey } };
  } catch (cause) {
    throw new Error(`${file}: ${(cause as Error).message}`, { cause });
  }
}
