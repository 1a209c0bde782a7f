import {
  AccessRule,
  AvailabilitySource,
  ContactLevel,
  EndpointOutcome,
  type ExplainedEndpoint,
  WithheldPart,
} from '@parley/contracts/presence/v1/presence';
import { deviceName, machineName } from './presence.ts';
import { isoOf } from './time.ts';

/** Levels, for people and machines. */
export const LEVELS: Readonly<Partial<Record<ContactLevel, string>>> = {
  [ContactLevel.EXTERNAL]: 'external',
  [ContactLevel.COLLEAGUES]: 'colleagues',
  [ContactLevel.WORKGROUP]: 'workgroup',
  [ContactLevel.FRIENDS_AND_FAMILY]: 'friends-and-family',
  [ContactLevel.BLOCKED]: 'blocked',
};

/** Rules by which a level is found, for machines. */
export const RULES: Readonly<Partial<Record<AccessRule, string>>> = {
  [AccessRule.VIEWER_REFUSED]: 'viewer-refused',
  [AccessRule.PERSON]: 'person',
  [AccessRule.DOMAIN]: 'domain',
  [AccessRule.SAME_ENTERPRISE]: 'same-enterprise',
  [AccessRule.FEDERATED]: 'federated',
  [AccessRule.NONE]: 'none',
};

/** What an availability is made of, for machines. */
export const SOURCES: Readonly<Partial<Record<AvailabilitySource, string>>> = {
  [AvailabilitySource.NO_DEVICE]: 'no-device',
  [AvailabilitySource.DEVICE]: 'device',
  [AvailabilitySource.CHOICE]: 'choice',
  [AvailabilitySource.CHOICE_AND_DEVICE]: 'choice-and-device',
};

/** Parts of presence that a level holds back, for people and machines. */
export const WITHHELD: Readonly<Partial<Record<WithheldPart, string>>> = {
  [WithheldPart.ALL]: 'everything',
  [WithheldPart.NOTE]: 'note',
  [WithheldPart.DEVICE]: 'device',
  [WithheldPart.LAST_ACTIVE]: 'last active',
};

const OUTCOMES: Readonly<Partial<Record<EndpointOutcome, string>>> = {
  [EndpointOutcome.ONLY]: 'only',
  [EndpointOutcome.MOST_ACTIVE]: 'most-active',
  [EndpointOutcome.KIND_FIRST]: 'kind-first',
  [EndpointOutcome.EARLIEST]: 'earliest',
  [EndpointOutcome.LESS_ACTIVE]: 'less-active',
  [EndpointOutcome.KIND_AFTER]: 'kind-after',
  [EndpointOutcome.EQUAL]: 'equal',
  [EndpointOutcome.GONE]: 'gone',
};

/** How a device fared, for machines. */
export const outcomeOf = ({ outcome }: ExplainedEndpoint): string => OUTCOMES[outcome] ?? 'unknown';

/** The same in words. */
export const OUTCOME_WORDS: Readonly<Record<string, string>> = {
  only: 'decides: the only one',
  'most-active': 'decides: more active than the others',
  'kind-first': 'decides: as active as another, and its kind goes first',
  earliest: 'decides: equal to another, known for longer',
  'less-active': 'less active',
  'kind-after': 'as active, but its kind comes after',
  equal: 'equal to the one that decides',
  gone: 'does not count any more',
};

const DECIDING: ReadonlySet<EndpointOutcome> = new Set([
  EndpointOutcome.ONLY,
  EndpointOutcome.MOST_ACTIVE,
  EndpointOutcome.KIND_FIRST,
  EndpointOutcome.EARLIEST,
]);

/** A device as JSON. */
export function endpointJson(one: ExplainedEndpoint) {
  const lostAt = isoOf(one.lostMs);
  return {
    ...{ id: one.endpointId, device: deviceName(one.device), state: machineName(one.machineState) },
    ...{ reportedState: machineName(one.reportedState), reportedAt: isoOf(one.reportedMs) },
    ...{ connectedAt: isoOf(one.connectedMs), ...(lostAt && { lostAt }), pod: one.pod },
    ...{ decides: DECIDING.has(one.outcome), outcome: outcomeOf(one) },
  };
}
