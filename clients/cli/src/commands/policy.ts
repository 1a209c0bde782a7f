import type { EffectiveArchivingPolicy } from '@parley/contracts/directory/v1/policy';
import { Command, Option } from 'commander';
import { SCOPES } from '../archive/decision.ts';
import type { Cli } from '../cli.ts';
import { UsageError } from '../exit-codes.ts';
import { examples, type Shell } from '../shell.ts';

interface ScopeOptions {
  readonly person?: string;
  readonly site?: string;
}

type Switch = 'on' | 'off';

interface SetOptions extends ScopeOptions {
  readonly internal?: Switch;
  readonly external?: Switch;
  readonly critical?: Switch;
}

/** `policy archiving show|set|reset`. */
export function policyCommand(shell: Shell): Command {
  const archiving = new Command('archiving').description('what is archived, and what happens when it cannot be');
  const scoped = (command: Command) =>
    command
      .option('--person <person>', 'address or id; default: the policy of everybody')
      .addOption(new Option('--site <site>', 'site whose people it is for').conflicts('person'));
  const onOff = (flags: string, text: string) => new Option(flags, text).choices(['on', 'off']);
  archiving.addCommand(
    examples(
      scoped(new Command('show').description('show the policy in force and where it comes from')).action(
        shell.action(show),
      ),
      'policy archiving show',
      'policy archiving show --person mei.lin@hospital.example',
    ),
  );
  archiving.addCommand(
    examples(
      scoped(new Command('set').description('change the policy; what is not named stays as it is'))
        .addOption(onOff('--internal <on|off>', 'archive messages within the organisation'))
        .addOption(onOff('--external <on|off>', 'archive messages with other organisations'))
        .addOption(onOff('--critical <on|off>', 'refuse a message that should be archived and cannot be'))
        .action(shell.action(set)),
      'policy archiving set --internal on --external on',
      'policy archiving set --person mei.lin@hospital.example --internal on --critical on',
      'policy archiving set --site taipei --internal on',
    ),
  );
  archiving.addCommand(
    scoped(
      new Command('reset').description('remove the policy of a person or site, or put the global defaults back'),
    ).action(shell.action(reset)),
  );
  return new Command('policy').description('show and change policies').addCommand(archiving);
}

async function show(cli: Cli, { person = '', site = '' }: ScopeOptions): Promise<void> {
  print(cli, (await cli.client().services.policies.getEffectiveArchivingPolicy({ person, site })).effective);
}

async function set(cli: Cli, options: SetOptions): Promise<void> {
  const { person = '', site = '', internal, external, critical } = options;
  if (internal === undefined && external === undefined && critical === undefined)
    throw new UsageError('what is to change?', 'Give --internal, --external or --critical with on or off.');
  const { policies } = cli.client().services;
  const before = (await policies.getEffectiveArchivingPolicy({ person, site })).effective?.policy;
  const chosen = (value: Switch | undefined, now: boolean | undefined) =>
    value === undefined ? (now ?? false) : value === 'on';
  const policy = {
    archiveInternal: chosen(internal, before?.archiveInternal),
    archiveExternal: chosen(external, before?.archiveExternal),
    critical: chosen(critical, before?.critical),
  };
  print(cli, (await policies.setArchivingPolicy({ person, site, policy })).effective);
}

async function reset(cli: Cli, { person = '', site = '' }: ScopeOptions): Promise<void> {
  print(cli, (await cli.client().services.policies.resetArchivingPolicy({ person, site })).effective);
}

function print(cli: Cli, effective: EffectiveArchivingPolicy | undefined): void {
  const policy = effective?.policy;
  if (!effective || !policy) throw new Error('the server answered without a policy');
  const scope = SCOPES[effective.scope] ?? 'unknown';
  const { archiveInternal, archiveExternal, critical } = policy;
  const value = { archiveInternal, archiveExternal, critical, scope, version: Number(effective.version) };
  const onOff = (on: boolean) => (on ? cli.print.style('green', 'on') : 'off');
  cli.print.result(value, () => [
    `internal  ${onOff(archiveInternal)}`,
    `external  ${onOff(archiveExternal)}`,
    `critical  ${onOff(critical)}`,
    `from      the ${scope} policy`,
  ]);
}
