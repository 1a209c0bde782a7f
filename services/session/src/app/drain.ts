import type { Clock } from '@parley/runtime';
import type { SessionConfig } from '../config.ts';
import type { EndpointCloser } from './endpoint-closer.ts';
import type { Hub } from './hub.ts';
import type { Lease } from './lease.ts';

interface DrainDeps {
  readonly config: SessionConfig;
  readonly clock: Clock;
  readonly hub: Hub;
  readonly closer: EndpointCloser;
  readonly lease: Lease;
}

/** How often it is looked whether everybody has gone. */
const LOOK_MS = 50;
/** What giving the lease back may take beyond `drainMs`: it runs out by itself when presence does not answer. */
export const RELEASE_MS = 1_500;

/**
 * Lets the clients go elsewhere: asks them to, waits until they did or `drainMs` have passed, ends the streams of those
 * who stayed, and gives the lease back, which starts the grace of their devices all at once. Takes at most `drainMs` and
 * {@link RELEASE_MS}, whoever does not answer.
 */
export async function drain({ config, clock, hub, closer, lease }: DrainDeps): Promise<void> {
  const end = clock.monotonic() + config.drainMs;
  hub.reconnect('stopping', Math.min(config.drainSpreadMs, config.drainMs), hub.all());
  while (hub.count > 0 && clock.monotonic() < end) {
    await clock.sleep(Math.min(LOOK_MS, Math.max(1, end - clock.monotonic())));
  }
  for (const session of hub.all()) hub.end(session, 'shutdown');
  await within(clock, Math.max(1, end - clock.monotonic()), closer.idle());
  closer.stop();
  await within(clock, RELEASE_MS, lease.release());
}

/** Resolves when the work is done or the time has passed. */
async function within(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  const patience = new AbortController();
  await Promise.race([work, clock.sleep(ms, patience.signal).catch(() => undefined)]);
  patience.abort();
}
