import { type Clock, createLoop } from '@parley/runtime';
import type { SessionConfig } from '../config.ts';
import type { SessionEvents } from '../events.ts';
import type { SignInsChanged } from '../ports/hints.ts';
import type { SignIns } from '../ports/sign-ins.ts';
import type { Hub } from './hub.ts';

interface SignInWatchDeps {
  readonly config: SessionConfig;
  readonly clock: Clock;
  readonly signIns: SignIns;
  readonly hub: Hub;
  readonly events: SessionEvents;
}

/** Ends the streams of sign-ins that have ended: at once when told, and by asking every few seconds. */
export interface SignInWatch {
  start(): void;
  changed(change: SignInsChanged): void;
  stop(): void;
}

export function createSignInWatch({ config, clock, signIns, hub, events }: SignInWatchDeps): SignInWatch {
  const loop = createLoop({ clock, everyMs: config.signInCheckMs, turn: check });
  let checkedAt = 0;

  async function check(signal: AbortSignal): Promise<void> {
    const ids = new Set<string>();
    for (const session of hub.all()) ids.add(session.signInId);
    const all = [...ids];
    const ended = new Set<string>();
    try {
      for (let at = 0; at < all.length; at += config.signInCheckBatch) {
        if (signal.aborted) return;
        for (const id of await signIns.ended(all.slice(at, at + config.signInCheckBatch))) ended.add(id);
      }
      checkedAt = clock.monotonic();
      events.signInsChecked(all.length, ended.size);
    } catch (error) {
      // Streams stay open without the directory: their tokens end soon enough.
      if (!signal.aborted) events.signInCheckFailed(error, clock.monotonic() - checkedAt);
    }
    if (ended.size === 0 || signal.aborted) return;
    for (const session of hub.all()) if (ended.has(session.signInId)) hub.end(session, 'signed_out');
  }

  return {
    start() {
      checkedAt = clock.monotonic();
      loop.start();
    },
    changed(change) {
      if (!change.all && change.endedSignInIds.length === 0) return;
      for (const session of hub.of(change.personId).slice()) {
        if (change.all || change.endedSignInIds.includes(session.signInId)) hub.end(session, 'signed_out');
      }
    },
    stop() {
      void loop.stop();
    },
  };
}
