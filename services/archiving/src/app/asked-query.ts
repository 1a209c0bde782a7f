import { hash } from 'node:crypto';
import type { CallContext } from '@parley/rpc';
import type { RecordQuery } from '../domain/record-query.ts';
import { type WordsQuery, wordsQuery } from '../domain/words.ts';
import type { ResolvePeople } from './resolve-people.ts';

/** A query as it was asked, its fields validated. */
export interface AskedQuery {
  readonly people: readonly string[];
  readonly anyPerson: boolean;
  readonly fromMs: number;
  /** 0 for no end. */
  readonly untilMs: number;
  readonly words: string;
  readonly conversationId: string;
}

/** People that are written down one by one; of more, their number and a hash. */
const MOST_PEOPLE_NAMED = 10;

/** Finds the people and reads the words. */
export async function understand(
  asked: AskedQuery,
  resolve: ResolvePeople,
  context: CallContext,
): Promise<RecordQuery> {
  const { anyPerson, fromMs, untilMs, conversationId } = asked;
  return {
    ...{ anyPerson, fromMs, conversationId },
    people: await resolve(asked.people, context),
    untilMs: untilMs === 0 ? Number.POSITIVE_INFINITY : untilMs,
    words: wordsOfQuery(asked),
  };
}

const wordsOfQuery = ({ words }: AskedQuery): WordsQuery | undefined => wordsQuery(words);

/** A query for the audit log and for manifests. */
export function describe(asked: AskedQuery): object {
  const { people, anyPerson, fromMs, untilMs, words, conversationId } = asked;
  const named = people.length <= MOST_PEOPLE_NAMED ? people : people.slice(0, MOST_PEOPLE_NAMED);
  return {
    ...(people.length > 0 && { people: named, any_person: anyPerson }),
    ...(named !== people && { people_count: people.length, people_sha256: hash('sha256', people.join('\n'), 'hex') }),
    ...(fromMs > 0 && { from: isoOf(fromMs) }),
    ...(untilMs > 0 && { until: isoOf(untilMs) }),
    ...(words !== '' && { words }),
    ...(conversationId !== '' && { conversation_id: conversationId }),
  };
}

export const isoOf = (ms: number): string => new Date(ms).toISOString();

/** Tells queries apart. */
export const fingerprint = (asked: AskedQuery): string =>
  hash('sha256', JSON.stringify(asked), 'base64url').slice(0, 16);
