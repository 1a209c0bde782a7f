import { ANY_WORD, conversationToken, type Groups, personToken } from './index-block.ts';
import type { WordsQuery } from './words.ts';

/** What to look for, with people found and words read. Everything that is set must hold. */
export interface RecordQuery {
  /** Ids of each person who is asked for: one as a rule; more when an address was archived under several. */
  readonly people: readonly (readonly string[])[];
  readonly anyPerson: boolean;
  readonly fromMs: number;
  /** Exclusive; infinite when nothing says so. */
  readonly untilMs: number;
  readonly words: WordsQuery | undefined;
  readonly conversationId: string;
}

/** A query for everything; spread it. */
export const EVERYTHING: RecordQuery = {
  people: [],
  anyPerson: false,
  fromMs: 0,
  untilMs: Number.POSITIVE_INFINITY,
  words: undefined,
  conversationId: '',
};

/** How the index is read for a query. */
export interface IndexPlan {
  readonly groups: Groups;
  /** Searches that between them meet every block that may hold something; one without tokens meets all. */
  readonly streams: readonly (readonly string[])[];
}

/** Tokens of one search; the others are looked at in the blocks themselves. */
const MOST_TOKENS = 24;
/** Searches side by side; with more people than this, blocks are met by the words, or all of them. */
const MOST_STREAMS = 8;

export function planOf(query: RecordQuery): IndexPlan {
  const people = query.people.map(ids => [...new Set(ids.map(personToken))]);
  const wanted = query.anyPerson && people.length > 0 ? [people.flat()] : people;
  const words = query.words?.tokens ?? [];
  const sure = wanted.filter(group => group.length === 1).flat();
  if (query.conversationId !== '') sure.push(conversationToken(query.conversationId));
  const open = wanted.find(group => group.length > 1 && group.length <= MOST_STREAMS) ?? [];
  // Longer words are rarer.
  const rare = words.toSorted((a, b) => b.length - a.length).slice(0, MOST_TOKENS / 2);
  const ways = words.length === 0 ? [[]] : [rare, [ANY_WORD]];
  const starts = open.length === 0 ? [[]] : open.map(token => [token]);
  const streams = starts.flatMap(start => ways.map(way => [...start, ...sure.slice(0, MOST_TOKENS / 2), ...way]));
  return {
    groups: [
      ...wanted,
      ...(query.conversationId === '' ? [] : [[conversationToken(query.conversationId)]]),
      ...words.map(word => [word, ANY_WORD]),
    ],
    streams,
  };
}

/** What a query is held against: the record itself, not what the index says about it. */
export interface QueriedRecord {
  readonly timeMs: number;
  readonly conversationId: string;
  readonly personIds: readonly string[];
  readonly text: string;
}

export function isWanted(query: RecordQuery, record: QueriedRecord): boolean {
  if (record.timeMs < query.fromMs || record.timeMs >= query.untilMs) return false;
  if (query.conversationId !== '' && record.conversationId !== query.conversationId) return false;
  if (query.people.length > 0) {
    const there = new Set(record.personIds);
    const takesPart = (ids: readonly string[]) => ids.some(id => there.has(id));
    if (query.anyPerson ? !query.people.some(takesPart) : !query.people.every(takesPart)) return false;
  }
  return query.words === undefined || query.words.matches(record.text);
}
