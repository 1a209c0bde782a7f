import { archivingCollections, archivingTopics, createArchiving } from '@parley/archiving-service';
import type { Bus } from '@parley/bus';
import { createDirectory, directoryCollections } from '@parley/directory-service';
import type { EventLog, TopicSpec } from '@parley/event-log';
import { createIm, imCollections, imTopicsFor } from '@parley/im-service';
import { createPresence, presenceCollections } from '@parley/presence-service';
import type { Channel, ServiceModule } from '@parley/rpc';
import type { Clock, Health, Ids, Logger, Metrics } from '@parley/runtime';
import { createSession } from '@parley/session-service';
import type { CollectionSpec, Doc, Store } from '@parley/store';
import type { ParleyConfig } from './config.ts';
import { archivingKeys, directoryKeys } from './key-material.ts';
import type { Keys } from './keys.ts';
import type { TargetName } from './routes.ts';
import { VERSION } from './version.ts';

/** What every service gets. */
export interface ServiceDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly store: Store;
  readonly bus: Bus;
  readonly eventLog: EventLog;
  /** To one of the services named under `calls`. */
  channel(to: TargetName): Channel;
  readonly keys: Keys;
}

/** One row of the table of services. */
export interface Target {
  /** Services it calls; they are started before it and stopped after it. */
  readonly calls: readonly TargetName[];
  readonly collections: readonly CollectionSpec<Doc>[];
  readonly topics: (config: ParleyConfig) => readonly TopicSpec[];
  /** Holds streams: started after the listeners, so that it is stopped before them and can send its clients elsewhere. */
  readonly holdsStreams?: boolean;
  readonly create: (config: ParleyConfig, deps: ServiceDeps) => ServiceModule;
}

const none = () => [];

/** Every service: what it calls, what it keeps, how it is made. */
export const TARGETS: Readonly<Record<TargetName, Target>> = {
  directory: {
    calls: [],
    collections: directoryCollections,
    topics: none,
    create: (config, deps) => createDirectory(config.directory, { ...deps, ...directoryKeys(deps.keys, config, deps) }),
  },
  presence: {
    calls: ['directory'],
    collections: presenceCollections as readonly CollectionSpec<Doc>[],
    topics: none,
    create: (config, deps) =>
      createPresence(config.presence, { ...deps, channels: { directory: deps.channel('directory') } }),
  },
  session: {
    calls: ['presence', 'directory'],
    collections: [],
    topics: none,
    holdsStreams: true,
    create: (config, deps) =>
      createSession(config.session, {
        ...deps,
        channels: { directory: deps.channel('directory'), presence: deps.channel('presence') },
      }),
  },
  im: {
    calls: ['directory'],
    collections: imCollections,
    topics: config => imTopicsFor(config.im),
    create: (config, deps) => createIm(config.im, { ...deps, channels: { directory: deps.channel('directory') } }),
  },
  archiving: {
    calls: ['directory'],
    collections: archivingCollections,
    topics: () => archivingTopics,
    create: (config, deps) =>
      createArchiving(config.archiving, {
        ...deps,
        ...archivingKeys(deps.keys, config),
        version: VERSION,
        channels: { directory: deps.channel('directory') },
      }),
  },
};

/** `wanted` in the order in which they can be started: whoever is called comes first. Throws when calls form a circle. */
export function startOrder(wanted: readonly TargetName[]): readonly TargetName[] {
  const order: TargetName[] = [];
  const visit = (name: TargetName, path: readonly TargetName[]): void => {
    if (path.includes(name)) throw new Error(`services call each other in a circle: ${[...path, name].join(' -> ')}`);
    for (const callee of TARGETS[name].calls) visit(callee, [...path, name]);
    if (wanted.includes(name) && !order.includes(name)) order.push(name);
  };
  for (const name of wanted) visit(name, []);
  return order;
}
