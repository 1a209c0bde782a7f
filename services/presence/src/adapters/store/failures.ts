import type { StoreFailure } from '@parley/store';
import { err } from '../../errors.ts';

/** Runs a call to the store; what it throws becomes a refusal of the catalogue. */
export async function asked<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    const unknown = (cause as Partial<StoreFailure> | undefined)?.outcome === 'unknown';
    throw err(unknown ? 'presence.outcome_unknown' : 'presence.store_unavailable', { cause, retryAfterMs: 1000 });
  }
}
