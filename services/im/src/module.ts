import type { Bus } from '@parley/bus';
import type { EventLog, TopicSpec } from '@parley/event-log';
import type { Channel, ServiceModule } from '@parley/rpc';
import type { Clock, Health, Ids, Logger, Metrics } from '@parley/runtime';
import type { Store } from '@parley/store';
import { createHints } from './adapters/bus/hints.ts';
import { createPersonSource } from './adapters/directory/person-source.ts';
import { ARCHIVE_TOPIC, createArchiveLog } from './adapters/log/archive-log.ts';
import { protobufCodec } from './adapters/protobuf/codec.ts';
import { createEventStore } from './adapters/store/event-store.ts';
import { createRefusalStore } from './adapters/store/refusal-store.ts';
import { ArchiveGate } from './app/archive-gate.ts';
import { createCheckReader } from './app/check-reader.ts';
import { ForgetRefusals } from './app/forget-refusals.ts';
import { createGetHistory } from './app/get-history.ts';
import { createKeySource } from './app/key-source.ts';
import { PeopleCache } from './app/people-cache.ts';
import { createPersistEvent } from './app/persist-event.ts';
import { createRateLimit } from './app/rate-limit.ts';
import { createReconcile } from './app/reconcile.ts';
import { RelayLoop } from './app/relay-loop.ts';
import { createRelayPending } from './app/relay-pending.ts';
import { createSendMessage } from './app/send-message.ts';
import { SettledPositions } from './app/settled-positions.ts';
import { StoreClock } from './app/store-clock.ts';
import { createSync } from './app/sync.ts';
import type { ImConfig } from './config.ts';
import { directoryChanged } from './consumers/directory-changed.ts';
import { reconciler } from './consumers/reconciler.ts';
import { nodeOf } from './domain/hybrid-clock.ts';
import { createTelemetry } from './events.ts';
import { imService } from './rpc/im-service.ts';

/** What instant messaging needs of its process. */
export interface ImDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly store: Store;
  readonly bus: Bus;
  readonly eventLog: EventLog;
  readonly channels: { readonly directory: Channel };
}

/** Topics that im writes; `partitions` counts only when the topic is made. */
export const imTopicsFor = (config: Pick<ImConfig, 'archivePartitions'>): readonly TopicSpec[] => [
  { name: ARCHIVE_TOPIC, partitions: config.archivePartitions },
];

/** Instant messaging: sends, syncs and shows the history of two-party conversations. */
export function createIm(config: ImConfig, deps: ImDeps): ServiceModule {
  const { clock, ids } = deps;
  const settings = config;
  const telemetry = createTelemetry(deps.logger, deps.metrics);
  const codec = protobufCodec;
  const events = createEventStore(deps.store);
  const refusals = createRefusalStore(deps.store);
  const hints = createHints(deps.bus, clock);
  const time = new StoreClock({ clock, source: deps.store, settings, telemetry });
  const keys = createKeySource(time, nodeOf(ids.bytes(6)), config.maxAheadMs);
  const source = createPersonSource(deps.channels.directory, config.directoryTimeoutMs);
  const people = new PeopleCache({ clock, source, settings, telemetry });
  const log = createArchiveLog(deps.eventLog, config.logDeadlineMs);
  const gate = new ArchiveGate({ clock, log, settings, telemetry });
  const settled = new SettledPositions();
  const persist = createPersistEvent({ events, codec, keys, time, keyVisibleMs: config.keyVisibleMs, telemetry });
  const rateLimit = createRateLimit(clock, { perSecond: config.sendRatePerSecond, burst: config.sendBurst });

  const reconcile = createReconcile({
    ...{ clock, time, codec, events, refusals, people, keys, persist, gate, hints, settled, telemetry },
    delayMs: config.keyVisibleMs + config.reconcileMarginMs,
    completeMaxAgeMs: config.completeMaxAgeMs,
    refusalKeepMs: config.refusalKeepMs,
  });
  const relay = createRelayPending({ events, gate, batch: config.relayBatch });
  const modules = [
    time,
    gate,
    directoryChanged(deps.bus, people),
    reconciler({
      log: deps.eventLog,
      topic: ARCHIVE_TOPIC,
      clock,
      reconcile,
      maxBatch: config.reconcileBatch,
      telemetry,
    }),
    new RelayLoop({ clock, fraction: ids.fraction, events, relay, everyMs: config.relayEveryMs, telemetry }),
    new ForgetRefusals({ clock, time, refusals, telemetry }),
  ];

  const { pageBytes } = config;
  const services = [
    imService({
      sendMessage: createSendMessage({
        ...{
          people,
          rateLimit,
          keys,
          time,
          gate,
          events,
          refusals,
          persist,
          settled,
          hints,
          codec,
          telemetry,
          settings,
        },
        monotonic: () => clock.monotonic(),
      }),
      checkReader: createCheckReader({ clock, people, settings, telemetry }),
      sync: createSync({ events, time, limits: syncLimitsOf(config), pageBytes, telemetry }),
      getHistory: createGetHistory({ events, pageBytes, telemetry }),
    }),
  ];

  let unregister: (() => void) | undefined;
  return {
    name: 'im',
    services,
    async start() {
      unregister ??= deps.health.register('im.store-clock', () => time.health());
      for (const module of modules) await module.start();
    },
    async stop() {
      for (const module of modules.toReversed()) await module.stop();
      hints.stop();
      unregister?.();
      unregister = undefined;
    },
  };
}

const syncLimitsOf = (config: ImConfig) => ({
  initialMs: config.syncInitialMs,
  cursorLagMs: config.cursorLagMs,
  maxAheadMs: config.maxAheadMs,
});
