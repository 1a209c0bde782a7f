import type { EventLog, TopicSpec } from '@parley/event-log';
import type { ParleyConfig } from '../config.ts';
import { TARGETS } from '../targets.ts';

/** Group under which the archive is written. */
const ARCHIVING_GROUP = 'archiving';

/** Groups that must have read a record before it may go. */
export const logReaders = (config: ParleyConfig): readonly string[] => [
  ARCHIVING_GROUP,
  ...config.archiving.trimGroups,
];

/** Every topic of every service. */
export const allTopics = (config: ParleyConfig): readonly TopicSpec[] =>
  Object.values(TARGETS).flatMap(target => target.topics(config));

/** How far a group is behind in a topic. */
export interface Lag {
  readonly topic: string;
  readonly group: string;
  readonly records: number;
}

/** Groups that have not read everything; empty when all have. */
export async function lagOf(log: EventLog, config: ParleyConfig): Promise<readonly Lag[]> {
  const lags: Lag[] = [];
  for (const { name: topic } of allTopics(config)) {
    const ends = await log.ends(topic);
    for (const group of logReaders(config)) {
      const committed = await log.committed(topic, group);
      const records = ends.reduce(
        (sum, { partition, low, high }) => sum + Math.max(0, high - Math.max(low, committed.get(partition) ?? low)),
        0,
      );
      if (records > 0) lags.push({ topic, group, records });
    }
  }
  return lags;
}

/** `archiving is 12 records behind in archive, im-reconcile 3 in archive`. */
export const sayLag = (lags: readonly Lag[]): string =>
  lags.map(({ topic, group, records }) => `${group} is ${records} records behind in topic ${topic}`).join(', ');
