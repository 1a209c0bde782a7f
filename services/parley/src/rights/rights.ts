import { subjects } from '@parley/bus';
import { EPOCH_TOPIC } from '@parley/event-log';
import type { ParleyConfig } from '../config.ts';
import { TARGET_NAMES, type TargetName } from '../routes.ts';
import { TARGETS } from '../targets.ts';
import { logReaders } from '../transfer/log-readers.ts';

/** Whose rights at the servers of a pool: a service, or `admin`, which is whoever runs commands such as `migrate`. */
export type Holder = TargetName | 'admin';

/** What a holder may do at NATS and Kafka, and nothing else. Its database is its own, and nobody else's. */
export interface Rights {
  /** Patterns of subjects. */
  readonly publishes: readonly string[];
  readonly subscribes: readonly string[];
  /** Topics of the event log it appends to. */
  readonly appends: readonly string[];
  /** Topics it reads. */
  readonly reads: readonly string[];
  /** Topics it removes records of that nobody needs any more. */
  readonly trims: readonly string[];
  /** Topics it makes. */
  readonly creates: readonly string[];
  /** Groups it reads in. */
  readonly joins: readonly string[];
  /** Groups whose progress it looks at. */
  readonly watches: readonly string[];
}

const NOTHING: Rights = {
  publishes: [],
  subscribes: [],
  appends: [],
  reads: [],
  trims: [],
  creates: [],
  joins: [],
  watches: [],
};

/** The one table of who may do what. Whatever is printed for a server's configuration is made from it. */
export function rightsOf(holder: Holder, config: ParleyConfig): Rights {
  const topics = [...new Set(TARGET_NAMES.flatMap(name => TARGETS[name].topics(config)).map(topic => topic.name))];
  switch (holder) {
    case 'directory':
      return { ...NOTHING, publishes: [subjects.allDirectoryChanged] };
    case 'presence':
      return {
        ...NOTHING,
        publishes: [subjects.allPresence],
        // one replica hears what another one published
        subscribes: [subjects.allPresence, subjects.allDirectoryChanged],
      };
    case 'session':
      return {
        ...NOTHING,
        publishes: [subjects.allSessionCommands],
        subscribes: [subjects.allSessionCommands, subjects.allPresence, subjects.allIm, subjects.allDirectoryChanged],
      };
    case 'im':
      return {
        ...NOTHING,
        publishes: [subjects.allIm],
        subscribes: [subjects.allDirectoryChanged],
        appends: topics,
        reads: topics,
        joins: [RECONCILER],
        watches: [ARCHIVER],
      };
    case 'archiving':
      return {
        ...NOTHING,
        reads: [...topics, EPOCH_TOPIC],
        trims: topics,
        joins: [ARCHIVER],
        watches: config.archiving.trimGroups,
      };
    case 'admin':
      return {
        ...NOTHING,
        // commands that change people tell those who remember them
        publishes: [subjects.allDirectoryChanged],
        appends: [EPOCH_TOPIC],
        reads: [...topics, EPOCH_TOPIC],
        creates: [...topics, EPOCH_TOPIC],
        watches: logReaders(config),
      };
  }
}

/** Groups of the log's readers. */
const ARCHIVER = 'archiving';
const RECONCILER = 'im-reconcile';

/** Everybody who has rights. */
export const HOLDERS: readonly Holder[] = [...TARGET_NAMES, 'admin'];

/** Whether a process with these services has anything to do with the event log. */
export function usesEventLog(targets: readonly TargetName[], config: ParleyConfig): boolean {
  return targets.some(name => rightsOf(name, config).reads.length > 0);
}

/** The rights of several holders together, for a process that runs several services. */
export function rightsOfAll(holders: readonly Holder[], config: ParleyConfig): Rights {
  const all = holders.map(holder => rightsOf(holder, config));
  const names = Object.keys(NOTHING) as (keyof Rights)[];
  return Object.fromEntries(
    names.map(name => [name, [...new Set(all.flatMap(rights => rights[name]))]]),
  ) as unknown as Rights;
}

/** What a process with these services calls itself where its credentials are named after it. */
export const holderName = (holders: readonly Holder[]): string => holders.join('+');
