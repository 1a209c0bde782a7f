import type { MessageInitShape } from '@bufbuild/protobuf';
import { type ArchivedItem, type ArchiveQuerySchema, RecordState } from '@parley/contracts/archive/v1/archive';
import type { Command } from 'commander';
import { isoOf } from '../output/time.ts';
import { parseWhen } from './when.ts';

/** Why somebody reads the archive, as options. */
export interface PurposeOptions {
  readonly case: string;
  readonly reason: string;
}

/** What to look for, as options. */
export interface QueryOptions {
  readonly person: readonly string[];
  readonly anyPerson?: boolean;
  readonly from?: number;
  readonly until?: number;
  readonly words?: string;
  readonly conversation?: string;
}

/** Adds the options that every look into the archive needs. */
export function withPurpose(command: Command): Command {
  return command
    .requiredOption('--case <id>', 'the case it is for; written to the audit log')
    .requiredOption('--reason <text>', 'why; written to the audit log');
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** Adds the options of a query. */
export function withQuery(command: Command): Command {
  return command
    .option('--person <person>', 'somebody who takes part, address or id; several: all of them', collect, [])
    .option('--any-person', 'one of several people is enough')
    .option(
      '--from <time>',
      'accepted at or after: a day or time here, or a time with Z or an offset',
      parseWhen(false),
    )
    .option('--until <time>', 'accepted before; a day counts to its end', parseWhen(true))
    .option('--words <text>', 'words that must all be there, in any script')
    .option('--conversation <id>', 'one conversation');
}

/** The query that the options say. */
export function queryOf(options: QueryOptions): MessageInitShape<typeof ArchiveQuerySchema> {
  return {
    people: [...options.person],
    anyPerson: options.anyPerson === true,
    fromMs: BigInt(options.from ?? 0),
    untilMs: BigInt(options.until ?? 0),
    words: options.words ?? '',
    conversationId: options.conversation ?? '',
  };
}

/** The purpose that the options say. */
export const purposeOf = (options: PurposeOptions) => ({ caseId: options.case, reason: options.reason });

/** States of records, for people and machines. */
export const STATES: Readonly<Record<RecordState, string>> = {
  [RecordState.UNSPECIFIED]: 'unknown',
  [RecordState.ARCHIVED]: 'archived',
  [RecordState.DUPLICATE]: 'duplicate',
  [RecordState.CONFLICT]: 'conflict',
  [RecordState.NOT_ACCEPTED]: 'not-accepted',
  [RecordState.PARKED]: 'parked',
};

/** A record as machines read it. */
export function itemJson(item: ArchivedItem) {
  const party = (one: ArchivedItem['sender']) =>
    one && { id: one.id, address: one.address, displayName: one.displayName };
  return {
    record: item.recordId,
    link: item.linkId,
    state: STATES[item.state] ?? 'unknown',
    at: isoOf(item.acceptedMs),
    conversation: item.conversationId,
    kind: item.kind,
    sender: party(item.sender),
    recipients: item.recipients.map(party),
    text: item.text,
    decidedBy: item.decidedBy,
  };
}
