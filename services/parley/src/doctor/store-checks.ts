import type { DirectoryModule } from '@parley/directory-service';
import { archivingWords } from '../archiving-words.ts';
import type { CommandContext } from '../commands/context.ts';
import { readSchema, THIS_SERVER } from '../commands/migrate.ts';
import { directoryOf } from '../commands/with-directory.ts';
import { refuseDemoAccounts } from '../demo-guard.ts';
import { explain } from '../explain.ts';
import { checkStore, contentsOf, SchemaError } from '../schema.ts';
import { openForReading, type ReadTopology } from '../topology.ts';
import { type Check, failed, ok, warning } from './check.ts';

const CLOCK_TOLERANCE_MS = 5_000;

/** Database, its version, who is archived, who administers; reads only, also while a server runs. */
export async function checkStores(context: CommandContext): Promise<readonly Check[]> {
  const name = 'database';
  let topology: ReadTopology;
  try {
    topology = await openForReading(context.config, context);
  } catch (error) {
    return [
      failed(
        name,
        explain(error, context.config),
        "Name the right --data-dir; 'parley init' makes a new database, 'parley restore' brings back an old one.",
      ),
    ];
  }
  try {
    const damage = topology.check();
    if (damage.length > 0)
      return [
        failed(
          name,
          `damaged: ${damage.slice(0, 3).join('; ')}`,
          'Stop Parley, put the files aside, check the disk, and restore the newest backup: parley restore',
        ),
      ];
    return [ok(name, topology.words), ...(await checkContent(context, topology))];
  } catch (error) {
    return [
      failed(
        name,
        explain(error, context.config),
        'See the log of the server, then ask for help with what is said here.',
      ),
    ];
  } finally {
    await topology.close().catch(() => undefined);
  }
}

async function checkContent(context: CommandContext, topology: ReadTopology): Promise<readonly Check[]> {
  const { config } = context;
  const own = await topology.store('parley');
  const version = 'version';
  const schema = await readSchema(own);
  try {
    checkStore(schema, THIS_SERVER, contentsOf(config.targets, config));
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return [failed(version, error.message, 'Back up before you migrate: parley backup --to DIRECTORY')];
  }
  const format = `format ${schema?.finalised}, this is Parley ${THIS_SERVER.version}`;
  const checks: Check[] = [
    schema && schema.finalised < THIS_SERVER.writes
      ? warning(
          version,
          `${format}, which would write format ${THIS_SERVER.writes}`,
          'When every process runs this version: parley migrate --finalise',
        )
      : ok(version, format),
  ];
  const ahead = context.clock.now() - (await own.now());
  if (Math.abs(ahead) > CLOCK_TOLERANCE_MS)
    checks.push(
      failed(
        'clock of the database',
        `${Math.round(Math.abs(ahead) / 1000)} s ${ahead > 0 ? 'behind' : 'ahead of'} this machine`,
        'Let both clocks be set by the network (NTP).',
      ),
    );
  if (!config.targets.includes('directory')) return checks;
  return [...checks, ...(await checkPeople(context, await directoryOf(context, topology)))];
}

async function checkPeople({ config }: CommandContext, directory: DirectoryModule): Promise<readonly Check[]> {
  const administrators = await directory.countAdministrators();
  const demo = await refuseDemoAccounts(config, directory).then(
    () => undefined,
    (error: Error) => error.message,
  );
  return [
    administrators === 0
      ? failed('administrators', 'there is none', 'Make one: parley init, or parley create-administrator')
      : administrators === 1
        ? warning('administrators', 'there is one', 'Make a second one, for the day the first is away.')
        : ok('administrators', `there are ${administrators}`),
    ...(demo === undefined ? [] : [failed('demo', demo, 'parley remove-demo')]),
    ok('archiving', archivingWords(await directory.globalArchiving())),
  ];
}
