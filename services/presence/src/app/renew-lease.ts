import { release, renew } from '../domain/lease.ts';
import { err } from '../errors.ts';
import type { Core } from './core.ts';

export interface RenewLease {
  readonly pod: string;
  readonly durationMs: number;
  /** The pod stops now. */
  readonly release: boolean;
}

const ATTEMPTS = 8;

/** Resolves with the end of the lease by the store's time. */
export async function renewLease(core: Core, command: RenewLease): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await core.leases.get(command.pod);
    const now = core.time.now();
    const after = command.release
      ? release(before, command.pod, now)
      : renew(before, command.pod, now, command.durationMs);
    if (after === before || (await core.leases.save(after))) {
      core.liveLeases.noted(after);
      if (command.release && after !== before) {
        core.events.leaseReleased(command.pod);
        core.leaseEnded();
      }
      if (!command.release && before?.ended) core.events.leaseRegained(command.pod);
      return after.expiresAt;
    }
    core.events.conflict('lease');
  }
  throw err('presence.contention', { retryAfterMs: 1000 });
}
