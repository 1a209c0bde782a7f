import type { LocateRecordResponse } from '@parley/contracts/archive/v1/archive';
import { Command } from 'commander';
import { deciderInWords, type Governed, promiseOf } from '../archive/decision.ts';
import { effectiveOf, governed, governedJson, policyTable, switchesOf } from '../archive/governed.ts';
import { STATES } from '../archive/query.ts';
import { devicesOf, type Recipient, recipientJson, recipientTable } from '../archive/recipients.ts';
import type { Cli } from '../cli.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { counted, oneLine } from '../output/text.ts';
import { isoOf, timeOf } from '../output/time.ts';
import { unless } from '../refused.ts';
import { examples, type Shell } from '../shell.ts';

/** `trace` */
export function traceCommand(shell: Shell): Command {
  const collect = (value: string, before: readonly string[]) => [...before, value];
  return examples(
    new Command('trace')
      .description(
        'say where a message stands in log and archive, which policy decided, whom it was for and which of their devices are there to get it, never what it says; exit code 1 when it is not archived (yet)',
      )
      .argument('<message>', 'id of the message, as im send --json shows it')
      .option('--sender <person>', 'who wrote it, where only the message id of a client is known')
      .option('--recipient <person>', 'somebody it was for, where the archive does not say so; several', collect, [])
      .action(shell.action(traceMessage)),
    'trace MESSAGE-ID',
    'trace MESSAGE-ID --recipient tom.okafor@hospital.example --json',
  );
}

interface TraceOptions {
  readonly sender?: string;
  readonly recipient: readonly string[];
}

/** So many recipients are shown with their devices. */
const MOST_RECIPIENTS = 20;

async function traceMessage(cli: Cli, options: TraceOptions, message: string): Promise<number> {
  const { print } = cli;
  const id = await recordIdOf(cli, options, message);
  const senderId = id.slice(0, id.indexOf('.'));
  const [located, waiting, everybody, sender, ...asked] = await Promise.all([
    locate(cli, id),
    waitingIn(cli),
    effectiveOf(cli, ''),
    // somebody who was deleted since has no policy any more
    stillThere(cli, senderId),
    ...options.recipient.map(person => governed(cli, person)),
  ]);
  const recipients = await recipientsOf(cli, senderId, located, asked);
  const devices = await Promise.all(recipients.map(({ id: recipient }) => devicesOf(cli, senderId, recipient)));
  const known = recipients.flatMap(({ person }) => person ?? []);
  const people = sender ? [sender, ...known] : known;
  const value = {
    message: id,
    archived: located !== undefined,
    ...(located ? locatedJson(located) : { waitingInLog: waiting }),
    recipients: recipients.map((one, i) => recipientJson(one, devices[i], located)),
    policiesNow: [...people.map(governedJson), { scope: 'global', ...switchesOf(everybody) }],
  };
  print.result(value, () => [
    ...(located
      ? locatedLines(cli, located, people)
      : [
          `${print.style('yellow', 'not archived (yet)')}  ${oneLine(id)}`,
          waiting > 0
            ? `${counted(waiting, 'record')} in the log ${waiting === 1 ? 'waits' : 'wait'} to be archived; it may be among them.`
            : 'Nothing waits to be archived: no policy had it archived, it waits to be logged, it was purged, or there is no such message.',
        ]),
    '',
    ...(recipients.length > 0 ? [...recipientTable(cli, recipients, devices, located), ''] : []),
    'Policies now:',
    ...policyTable(cli, people, everybody),
  ]);
  return located ? EXIT.ok : EXIT.negative;
}

function locatedLines(cli: Cli, located: LocateRecordResponse, people: readonly Governed[]): readonly string[] {
  const { print, io } = cli;
  const { topic, partition, offset, epoch } = placeOf(located.linkId);
  const { scope } = scopeOf(located.decidedBy);
  const nameOf = (id: string) => people.find(one => one.id === id)?.displayName ?? id;
  const decider = oneLine(deciderInWords(located.decidedBy, nameOf));
  return [
    `${print.style('green', STATES[located.state] ?? 'unknown')}  ${oneLine(located.linkId)}`,
    `accepted    ${timeOf(Number(located.acceptedMs), io.now())}`,
    `lane        ${laneOf(located)}: ${promiseOf(located.critical)}`,
    `decided by  ${decider} (scope ${scope})`,
    `log         topic ${oneLine(topic)}, partition ${partition}, offset ${offset}, epoch ${epoch}`,
    `checkpoint  ${located.checkpointed ? 'covered by a signed one' : 'not yet; the next one covers it'}`,
    `search      ${located.indexed ? 'can be found' : 'cannot be found yet'}`,
  ];
}

async function recipientsOf(
  cli: Cli,
  senderId: string,
  located: LocateRecordResponse | undefined,
  asked: readonly Governed[],
): Promise<readonly Recipient[]> {
  const given = asked.map(person => ({ id: person.id, person }));
  const ids = (located?.recipientIds ?? []).filter(id => id !== senderId && !asked.some(person => person.id === id));
  const found = ids.slice(0, Math.max(0, MOST_RECIPIENTS - given.length));
  return [...given, ...(await Promise.all(found.map(async id => ({ id, person: await stillThere(cli, id) }))))];
}

const stillThere = (cli: Cli, id: string) => unless('client.person_not_found', governed(cli, id));

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

/** What was archived was sent in one of two lanes. */
const laneOf = ({ critical }: LocateRecordResponse) => (critical ? 'critical' : 'archived');

/** `epoch/topic/partition/offset` */
function placeOf(linkId: string) {
  const [epoch = '', topic = '', partition = '', offset = ''] = linkId.split('/');
  return { epoch: Number(epoch), topic, partition: Number(partition), offset: Number(offset) };
}

function scopeOf(decidedBy: string) {
  const [scope = '', of = ''] = decidedBy.split(/:(.*)/s);
  return { scope, ...(of && { of }) };
}

const locatedJson = (located: LocateRecordResponse) => ({
  link: located.linkId,
  ...placeOf(located.linkId),
  state: STATES[located.state] ?? 'unknown',
  at: isoOf(located.acceptedMs),
  lane: laneOf(located),
  decidedBy: located.decidedBy,
  scope: scopeOf(located.decidedBy).scope,
  critical: located.critical,
  checkpointed: located.checkpointed,
  indexed: located.indexed,
});
