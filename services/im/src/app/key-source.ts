import { beginning, isAfter, keyOf, nextPlace, type Place, parseKey, tooFarAhead } from '../domain/hybrid-clock.ts';
import { imErrors } from '../errors.ts';
import type { StoreClock } from './store-clock.ts';

/** A new key and when it was made, by the store's time. */
export interface FreshKey {
  readonly key: string;
  readonly madeMs: number;
}

/** Gives out keys, each greater than all before it in this process. */
export interface KeySource {
  /** Also greater than `afterKey`, which may be empty. */
  next(afterKey: string): FreshKey;
}

export function createKeySource(time: Pick<StoreClock, 'nowMs'>, node: string, maxAheadMs: number): KeySource {
  let last: Place = beginning;
  return {
    next(afterKey) {
      const madeMs = time.nowMs();
      let seen: Place | undefined;
      if (afterKey !== '') {
        seen = parseKey(afterKey);
        if (!seen) throw imErrors('im.after_key_invalid', { field: 'after_key' });
        // What came from here is no forgery: the store's time was set back.
        if (isAfter(seen, last) && tooFarAhead(seen, madeMs, maxAheadMs))
          throw imErrors('im.key_in_future', { field: 'after_key', params: { limit: maxAheadMs } });
      }
      last = nextPlace(last, madeMs, seen);
      return { key: keyOf(last, node), madeMs };
    },
  };
}
