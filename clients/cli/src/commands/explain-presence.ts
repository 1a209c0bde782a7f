import { availabilityClass, type Person } from '@parley/client';
import { AccessRule, AvailabilitySource, type ExplainPresenceResponse } from '@parley/contracts/presence/v1/presence';
import type { Cli } from '../cli.ts';
import { endpointJson, LEVELS, OUTCOME_WORDS, outcomeOf, RULES, SOURCES, WITHHELD } from '../output/explained.ts';
import { availabilityText, deviceName, machineName, presenceJson, stateName } from '../output/presence.ts';
import { counted, oneLine } from '../output/text.ts';
import { isoOf, timeOf } from '../output/time.ts';

/** `explain presence` */
export async function explainPresence(cli: Cli, _: object, viewerName: string, targetName: string): Promise<void> {
  const [viewer, target] = await cli.people.all([viewerName, targetName]);
  if (!viewer || !target) throw new Error('people come in the order they were asked for');
  const told = await cli
    .client()
    .services.presence.explainPresence({ viewerId: viewer.id, targetId: target.id }, { signal: cli.io.interrupted });
  cli.print.result(explanationJson(told, viewer, target), () => explanationLines(cli, told, viewer, target));
}

const who = ({ id, displayName, primaryAddress }: Person) => ({ person: id, displayName, address: primaryAddress });

function explanationJson(told: ExplainPresenceResponse, viewer: Person, target: Person) {
  const [setAt, endsAt, nextChangeAt] = [told.preferredSetMs, told.preferredExpiresMs, told.nextChangeMs].map(isoOf);
  return {
    ...{ viewer: who(viewer), target: who(target) },
    ...{ level: LEVELS[told.level] ?? 'unknown', container: told.container },
    decidedBy: {
      ...{ rule: RULES[told.rule] ?? 'unknown', default: told.defaultEntry },
      ...(told.member && { member: told.member }),
    },
    ...{ ownEntries: told.ownEntries, aclRevision: Number(told.aclRevision) },
    ...(told.preferred && {
      choice: { state: stateName(told.preferred), ...(setAt && { setAt }), ...(endsAt && { endsAt }) },
    }),
    endpoints: told.endpoints.map(endpointJson),
    aggregate: {
      ...{ state: availabilityClass(told.aggregateAvailability), availability: told.aggregateAvailability },
      source: SOURCES[told.source] ?? 'unknown',
      ...(nextChangeAt && { nextChangeAt }),
    },
    withheld: told.withheld.map(part => WITHHELD[part] ?? 'unknown'),
    ...(told.view && { sees: { ...presenceJson(told.view), noteShown: told.noteShown } }),
    published: told.published,
  };
}

function explanationLines(cli: Cli, told: ExplainPresenceResponse, viewer: Person, target: Person): readonly string[] {
  const { view } = told;
  const device = view ? deviceName(view.device) : '';
  const seen = view ? availabilityText(view) : 'unknown';
  const shown = `${seen}${device ? ` (${device})` : ''}${told.noteShown ? ', with a note' : ''}`;
  const withheld = told.withheld.map(part => WITHHELD[part] ?? 'unknown');
  return [
    `${oneLine(viewer.displayName)} sees ${oneLine(target.displayName)} as ${shown}.`,
    '',
    `level      ${LEVELS[told.level] ?? 'unknown'}${told.container ? ` (container ${told.container})` : ''}`,
    `decided    by ${entryInWords(told, target)}`,
    `choice     ${choiceInWords(cli, told)}`,
    `held back  ${withheld.join(', ') || 'nothing'}`,
    ...(told.published ? [] : ['published  not yet: time has just changed it']),
    ...(told.nextChangeMs ? [`changes    by time alone, ${timeOf(Number(told.nextChangeMs), cli.io.now())}`] : []),
    '',
    ...deviceTable(cli, told),
  ];
}

function entryInWords(told: ExplainPresenceResponse, target: Person): string {
  const own = `${oneLine(target.displayName)} has ${told.ownEntries === 0 ? 'none' : counted(told.ownEntries, 'entry', 'entries')} of his own`;
  const member = oneLine(told.member);
  switch (told.rule) {
    case AccessRule.VIEWER_REFUSED:
      return 'his account: nothing is shown to somebody unknown or disabled';
    case AccessRule.NONE:
      return `nothing: no entry is for him; ${own}`;
    case AccessRule.PERSON:
      return `the entry for him; ${own}`;
    case AccessRule.DOMAIN:
      return `the entry for the domain ${member}; ${own}`;
    case AccessRule.SAME_ENTERPRISE:
      return `the entry for the organisation${told.defaultEntry ? ', which everybody has' : ''}; ${own}`;
    case AccessRule.FEDERATED:
      return `the entry for other organisations; ${own}`;
    case AccessRule.UNSPECIFIED:
    default:
      return `a rule of a later version of the server; ${own}`;
  }
}

function choiceInWords(cli: Cli, told: ExplainPresenceResponse): string {
  const at = (ms: bigint) => timeOf(Number(ms), cli.io.now());
  if (!told.preferred)
    return `none: ${told.source === AvailabilitySource.NO_DEVICE ? 'nor is a device there' : 'the devices decide'}`;
  const ends = told.preferredExpiresMs ? `, until ${at(told.preferredExpiresMs)}` : '';
  const effect = {
    [AvailabilitySource.NO_DEVICE]: 'of no effect while no device is there',
    [AvailabilitySource.CHOICE]: 'whatever the devices say',
    [AvailabilitySource.CHOICE_AND_DEVICE]: 'the device tells whether he is there',
  } as Readonly<Record<number, string>>;
  return [`${stateName(told.preferred)} since ${at(told.preferredSetMs)}${ends}`, effect[told.source]]
    .filter(Boolean)
    .join('; ');
}

function deviceTable(cli: Cli, { endpoints }: ExplainPresenceResponse): readonly string[] {
  if (endpoints.length === 0) return ['No device is signed in.'];
  const at = (ms: bigint) => timeOf(Number(ms), cli.io.now());
  return cli.print.table(
    ['DEVICE', 'KIND', 'STATE', 'REPORTED', 'CONNECTED', 'RESULT'],
    endpoints.map(one => [
      ...[one.endpointId, deviceName(one.device), machineName(one.machineState)],
      `${machineName(one.reportedState)} ${at(one.reportedMs)}`,
      one.lostMs ? `lost ${at(one.lostMs)}` : `since ${at(one.connectedMs)}`,
      OUTCOME_WORDS[outcomeOf(one)] ?? 'unknown',
    ]),
  );
}
