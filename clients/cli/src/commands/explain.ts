import type { LocateRecordResponse } from '@parley/contracts/archive/v1/archive';
import { Command } from 'commander';
import { type Decision, deciderInWords, decisionOf, type Governed, modeInWords, SCOPES } from '../archive/decision.ts';
import { STATES } from '../archive/query.ts';
import type { Cli } from '../cli.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { counted, oneLine } from '../output/text.ts';
import { isoOf, timeOf } from '../output/time.ts';
import { unless } from '../refused.ts';
import { examples, type Shell } from '../shell.ts';

/** `explain archiving` and `trace`. */
export function explainCommands(shell: Shell): readonly Command[] {
  const explain = new Command('explain').description('say why something is as it is');
  explain.addCommand(
    examples(
      new Command('archiving')
        .description('say whether messages from one person to another are archived, and whose policy decides')
        .argument('<from>', 'who writes, address or id')
        .argument('<to>', 'whom to, address or id')
        .action(shell.action(explainArchiving)),
      'explain archiving mei.lin@hospital.example tom.okafor@hospital.example',
    ),
  );
  const collect = (value: string, before: readonly string[]) => [...before, value];
  const trace = examples(
    new Command('trace')
      .description(
        'say where a message stands in the archive and which policy decided, never what it says; exit code 1 when it is not archived (yet)',
      )
      .argument('<message>', 'id of the message, as im send --json shows it')
      .option('--sender <person>', 'who wrote it, where only the message id of a client is known')
      .option('--recipient <person>', 'also show the policy of somebody it was for; several', collect, [])
      .action(shell.action(traceMessage)),
    'trace MESSAGE-ID',
    'trace MESSAGE-ID --recipient tom.okafor@hospital.example --json',
  );
  return [explain, trace];
}

async function explainArchiving(cli: Cli, _: object, from: string, to: string): Promise<void> {
  const [sender, recipient, everybody] = await Promise.all([
    governed(cli, from),
    governed(cli, to),
    effectiveOf(cli, ''),
  ]);
  const decision = decisionOf([sender, recipient]);
  const global = { scope: 'global', ...switchesOf(everybody) };
  const value = { ...decision, people: [sender, recipient].map(governedJson), global };
  cli.print.result(value, () => [
    `Messages from ${oneLine(sender.displayName)} to ${oneLine(recipient.displayName)} ${inWords(decision, [sender, recipient])}`,
    '',
    ...policyTable(cli, [sender, recipient], everybody),
  ]);
}

function inWords(decision: Decision, people: readonly Governed[]): string {
  if (!decision.archived) return 'are not archived: no policy of the two says so.';
  const nameOf = (id: string) => people.find(person => person.id === id)?.displayName ?? id;
  const decider = oneLine(deciderInWords(decision.decidedBy, nameOf));
  return `are archived, ${modeInWords(decision.critical)}. Decided by ${decider}.`;
}

interface TraceOptions {
  readonly sender?: string;
  readonly recipient: readonly string[];
}

async function traceMessage(cli: Cli, options: TraceOptions, message: string): Promise<number> {
  const { print, io } = cli;
  const id = await recordIdOf(cli, options, message);
  const senderId = id.slice(0, id.indexOf('.'));
  const [located, waiting, everybody, sender, ...recipients] = await Promise.all([
    locate(cli, id),
    waitingIn(cli),
    effectiveOf(cli, ''),
    // a sender who was deleted since has no policy any more
    unless('client.person_not_found', governed(cli, senderId)),
    ...options.recipient.map(person => governed(cli, person)),
  ]);
  const people = sender ? [sender, ...recipients] : recipients;
  const decider = oneLine(deciderInWords(located?.decidedBy ?? '', who => nameAmong(people, who)));
  const value = {
    message: id,
    archived: located !== undefined,
    ...(located ? locatedJson(located) : { waitingInLog: waiting }),
    policiesNow: [...people.map(governedJson), { scope: 'global', ...switchesOf(everybody) }],
  };
  print.result(value, () => [
    ...(located
      ? [
          `${print.style('green', STATES[located.state] ?? 'unknown')}  ${oneLine(located.linkId)}`,
          `accepted    ${timeOf(Number(located.acceptedMs), io.now())}`,
          `decided by  ${decider}, ${modeInWords(located.critical)}`,
          `checkpoint  ${located.checkpointed ? 'covered by a signed one' : 'not yet; the next one covers it'}`,
          `search      ${located.indexed ? 'can be found' : 'cannot be found yet'}`,
        ]
      : [
          `${print.style('yellow', 'not archived (yet)')}  ${oneLine(id)}`,
          waiting > 0
            ? `${counted(waiting, 'record')} in the log ${waiting === 1 ? 'waits' : 'wait'} to be archived; it may be among them.`
            : 'Nothing waits to be archived: no policy had it archived, it waits to be logged, it was purged, or there is no such message.',
        ]),
    '',
    'Policies now:',
    ...policyTable(cli, people, everybody),
  ]);
  return located ? EXIT.ok : EXIT.negative;
}

const nameAmong = (people: readonly Governed[], id: string) => people.find(one => one.id === id)?.displayName ?? id;

/** Ids of events begin with that of the sender. */
async function recordIdOf(cli: Cli, { sender }: TraceOptions, message: string): Promise<string> {
  if (/^[A-Za-z0-9_-]+\../.test(message)) return message;
  if (sender === undefined)
    throw new UsageError(
      `"${oneLine(message)}" does not say who sent it`,
      'Take "id" of im send --json, or add --sender PERSON.',
    );
  return `${(await cli.people.one(sender)).id}.${message}`;
}

/** Undefined when it is not archived, or not yet. */
const locate = (cli: Cli, recordId: string): Promise<LocateRecordResponse | undefined> =>
  unless(
    'archive.record_not_found',
    cli.client().services.archive.locateRecord({ recordId }, { signal: cli.io.interrupted }),
  );

async function waitingIn(cli: Cli): Promise<number> {
  const { partitions } = await cli.client().services.archive.getStatus({}, { signal: cli.io.interrupted });
  return partitions.reduce((sum, partition) => sum + Number(partition.lag), 0);
}

const locatedJson = ({ linkId, state, acceptedMs, ...rest }: LocateRecordResponse) => ({
  link: linkId,
  state: STATES[state] ?? 'unknown',
  at: isoOf(acceptedMs),
  decidedBy: rest.decidedBy,
  critical: rest.critical,
  checkpointed: rest.checkpointed,
  indexed: rest.indexed,
});

async function effectiveOf(cli: Cli, person: string): Promise<Governed['effective']> {
  const { policies } = cli.client().services;
  const { effective } = await policies.getEffectiveArchivingPolicy({ person }, { signal: cli.io.interrupted });
  if (!effective?.policy) throw new Error('the server answered without a policy');
  return effective;
}

async function governed(cli: Cli, name: string): Promise<Governed> {
  const { id, displayName, site } = await cli.people.one(name);
  return { id, displayName, site, effective: await effectiveOf(cli, id) };
}

const switchesOf = ({ policy }: Governed['effective']) => ({
  archiveInternal: policy?.archiveInternal === true,
  archiveExternal: policy?.archiveExternal === true,
  critical: policy?.critical === true,
});

const governedJson = ({ id, displayName, site, effective }: Governed) => ({
  ...{ person: id, displayName, site, scope: SCOPES[effective.scope] ?? 'unknown' },
  ...switchesOf(effective),
});

function policyTable(cli: Cli, people: readonly Governed[], everybody: Governed['effective']): readonly string[] {
  const row = (name: string, effective: Governed['effective'], from: string) => {
    const { archiveInternal, archiveExternal, critical } = switchesOf(effective);
    return [name, ...[archiveInternal, archiveExternal, critical].map(on => (on ? 'on' : 'off')), from];
  };
  return cli.print.table(
    ['WHO', 'INTERNAL', 'EXTERNAL', 'CRITICAL', 'FROM'],
    [
      ...people.map(({ displayName, site, effective }) => {
        const scope = SCOPES[effective.scope] ?? 'unknown';
        return row(displayName, effective, `the ${scope} policy${scope === 'site' ? ` (${site})` : ''}`);
      }),
      row('everybody else', everybody, 'the global policy'),
    ],
  );
}
