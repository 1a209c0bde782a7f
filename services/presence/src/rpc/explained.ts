import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  AccessRule,
  AvailabilitySource,
  type DeviceType,
  EndpointOutcome,
  type ExplainedEndpointSchema,
  type ExplainPresenceResponseSchema,
  type MachineState,
  type PreferredAvailability,
  WithheldPart,
} from '@parley/contracts/presence/v1/presence';
import type { Explained } from '../app/explain-presence.ts';
import type { Outcome, RankedEndpoint, Rule, Source, Withheld } from '../domain/explain.ts';
import { DEVICE, LEVEL_NUMBER, MACHINE, MANUAL, number } from './convert.ts';

const RULES: Readonly<Record<Rule, AccessRule>> = {
  'viewer-refused': AccessRule.VIEWER_REFUSED,
  user: AccessRule.PERSON,
  domain: AccessRule.DOMAIN,
  'same-enterprise': AccessRule.SAME_ENTERPRISE,
  federated: AccessRule.FEDERATED,
  // nobody is of one yet
  'public-cloud': AccessRule.UNSPECIFIED,
  none: AccessRule.NONE,
};

const SOURCES: Readonly<Record<Source, AvailabilitySource>> = {
  'no-device': AvailabilitySource.NO_DEVICE,
  device: AvailabilitySource.DEVICE,
  choice: AvailabilitySource.CHOICE,
  'choice-and-device': AvailabilitySource.CHOICE_AND_DEVICE,
};

const OUTCOMES: Readonly<Record<Outcome, EndpointOutcome>> = {
  only: EndpointOutcome.ONLY,
  'most-active': EndpointOutcome.MOST_ACTIVE,
  'kind-first': EndpointOutcome.KIND_FIRST,
  earliest: EndpointOutcome.EARLIEST,
  'less-active': EndpointOutcome.LESS_ACTIVE,
  'kind-after': EndpointOutcome.KIND_AFTER,
  equal: EndpointOutcome.EQUAL,
  gone: EndpointOutcome.GONE,
};

const PARTS: Readonly<Record<Withheld, WithheldPart>> = {
  all: WithheldPart.ALL,
  note: WithheldPart.NOTE,
  device: WithheldPart.DEVICE,
  'last-active': WithheldPart.LAST_ACTIVE,
};

/** An explanation without what the note says. */
export function explained(told: Explained): MessageInitShape<typeof ExplainPresenceResponseSchema> {
  const { doc, view, manual, aggregate } = told;
  return {
    level: LEVEL_NUMBER[told.level],
    container: told.container,
    rule: RULES[told.rule],
    member: told.entry?.value ?? '',
    defaultEntry: told.defaultEntry,
    ownEntries: doc.members?.length ?? 0,
    aclRevision: BigInt(doc.acl),
    preferred: Math.max(0, number(MANUAL, manual)) as PreferredAvailability,
    preferredSetMs: BigInt(manual ? (doc.manual?.setAt ?? 0) : 0),
    preferredExpiresMs: BigInt(manual ? (doc.manual?.endsAt ?? 0) : 0),
    endpoints: told.endpoints.map(endpointMessage),
    source: SOURCES[told.source],
    aggregateAvailability: aggregate.state.availability,
    view: {
      personId: view.personId,
      availability: view.availability,
      activity: view.activity,
      device: Math.max(0, number(DEVICE, view.device)) as DeviceType,
      lastActiveMs: BigInt(view.lastActiveAt),
      revision: BigInt(doc.rev),
      mobileOnly: view.mobileOnly,
    },
    noteShown: view.note !== '',
    withheld: told.withheld.map(part => PARTS[part]),
    nextChangeMs: BigInt(aggregate.nextChangeAt ?? 0),
    published: told.published,
  };
}

function endpointMessage(ranked: RankedEndpoint): MessageInitShape<typeof ExplainedEndpointSchema> {
  const { endpoint, machine, outcome } = ranked;
  return {
    endpointId: endpoint.id,
    device: number(DEVICE, endpoint.device) as DeviceType,
    machineState: number(MACHINE, machine) as MachineState,
    reportedState: number(MACHINE, endpoint.machine) as MachineState,
    reportedMs: BigInt(endpoint.reportedAt),
    connectedMs: BigInt(endpoint.connectedAt),
    lostMs: BigInt(endpoint.goneAt ?? 0),
    pod: endpoint.pod,
    outcome: OUTCOMES[outcome],
  };
}
