import type { Clock, Ids } from '@parley/runtime';
import type { PresenceConfig } from '../config.ts';
import type { ChoicePolicy } from '../domain/choices.ts';
import type { Policy } from '../domain/settle.ts';
import type { ViewCodec } from '../domain/views.ts';
import type { PresenceEvents } from '../events.ts';
import type { Leases } from '../ports/leases.ts';
import type { People } from '../ports/people.ts';
import type { Publisher } from '../ports/publisher.ts';
import type { Time } from '../ports/time.ts';
import type { Watchers } from '../ports/watchers.ts';
import type { LiveLeases } from './live-leases.ts';
import type { ViewCache } from './view-cache.ts';

/** What the use cases work with. */
export interface Core {
  readonly people: People;
  readonly leases: Leases;
  readonly publisher: Publisher;
  readonly watchers: Watchers;
  readonly time: Time;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly codec: ViewCodec;
  readonly events: PresenceEvents;
  readonly config: PresenceConfig;
  readonly policy: Policy;
  readonly choices: ChoicePolicy;
  readonly liveLeases: LiveLeases;
  readonly views: ViewCache;
  /** A lease was given up, which the sweep would only find at one of its next turns. */
  readonly leaseEnded: () => void;
  /** Time alone changes somebody in `ms`, which the sweep may not know of. */
  readonly changesIn: (ms: number) => void;
}

export function policyOf(config: PresenceConfig): Policy {
  const { inactiveAfterMs, awayAfterMs, graceMs, showLastActive } = config;
  return { timing: { inactiveAfterMs, awayAfterMs, graceMs }, showLastActive };
}

export function choicesOf(config: PresenceConfig): ChoicePolicy {
  return {
    appearOffline: config.appearOffline,
    urgentEndsAfterMs: config.urgentEndsAfterMs,
    longestMs: config.longestChoiceMs,
    noteCharacters: config.noteCharacters,
  };
}
