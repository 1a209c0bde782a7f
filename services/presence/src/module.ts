import type { Bus } from '@parley/bus';
import type { Channel, ServiceModule } from '@parley/rpc';
import type { Clock, Health, Ids, Logger, Metrics } from '@parley/runtime';
import type { Store } from '@parley/store';
import { busPublisher } from './adapters/bus/publisher.ts';
import { DirectoryWatchers } from './adapters/directory/directory-watchers.ts';
import { viewCodec } from './adapters/protobuf/view-codec.ts';
import { storeLeases } from './adapters/store/leases.ts';
import { storePeople } from './adapters/store/people.ts';
import { StoreTime } from './adapters/store/store-time.ts';
import { type Core, choicesOf, policyOf } from './app/core.ts';
import { LiveLeases } from './app/live-leases.ts';
import { Sweeper } from './app/sweeper.ts';
import { ViewCache } from './app/view-cache.ts';
import type { PresenceConfig } from './config.ts';
import { followDirectory } from './consumers/directory-changes.ts';
import { followPresence } from './consumers/presence-hints.ts';
import { createEvents } from './events.ts';
import { presenceInternalService } from './rpc/internal-service.ts';
import { presenceService } from './rpc/presence-service.ts';

/** What presence needs of the process it lives in. */
export interface PresenceDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly store: Store;
  readonly bus: Bus;
  readonly channels: { readonly directory: Channel };
}

/** The presence service. */
export function createPresence(config: PresenceConfig, deps: PresenceDeps): ServiceModule {
  const { clock, ids, store, bus, health } = deps;
  const events = createEvents(deps.logger, deps.metrics);
  const time = new StoreTime(store, clock, events, config.timeSyncMs);
  const hearing = () => bus.connected;
  const watchers = new DirectoryWatchers(deps.channels.directory, clock, hearing, config, events);
  const now = () => clock.monotonic();
  const views = new ViewCache(config.viewCacheEntries, config.viewCacheMaxAgeMs, now, hearing);
  const leases = storeLeases(store);
  const core: Core = {
    people: storePeople(store),
    leases,
    publisher: busPublisher(bus),
    watchers,
    time,
    clock,
    ids,
    codec: viewCodec,
    events,
    config,
    policy: policyOf(config),
    choices: choicesOf(config),
    liveLeases: new LiveLeases(leases, time),
    views,
    leaseEnded: () => sweeper.leaseEnded(),
    changesIn: ms => sweeper.changesIn(ms),
  };
  const sweeper = new Sweeper(core);
  let undo: (() => void)[] = [];

  return {
    name: 'presence',
    services: [presenceService(core), presenceInternalService(core)],
    async start() {
      await time.start();
      undo = [
        followDirectory(bus, watchers, events),
        followPresence(bus, views, events),
        bus.onContinuity(() => {
          watchers.invalidateAll();
          views.clear();
        }),
        health.register('presence.time', () => ({ ok: time.known })),
        health.register('presence.sweep', () =>
          sweeper.working ? { ok: true } : { ok: false, detail: 'presence cannot be swept: the database fails' },
        ),
      ];
      sweeper.start();
    },
    async stop() {
      for (const undone of undo.splice(0)) undone();
      await sweeper.stop();
      time.stop();
    },
  };
}
