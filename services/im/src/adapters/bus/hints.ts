import { type Bus, subjects } from '@parley/bus';
import type { Clock } from '@parley/runtime';
import type { Hints } from '../../ports/hints.ts';

interface Hint {
  readonly recipientIds: readonly string[];
  readonly event: Uint8Array;
  readonly traceparent: string | undefined;
}

/** Longer than it takes until a connection on which nothing passes counts as lost, milliseconds. */
const REMEMBERED_MS = 45_000;
/** Hints of each of two generations, at most, and their size in bytes. */
const REMEMBERED = 16_384;
const REMEMBERED_BYTES = 16 * 1024 * 1024;

/**
 * What was published while this process was cut off from the bus is published again when it is back. Nobody else
 * noticed the break, so that devices would find it only when they synchronise by themselves, minutes later. They drop
 * what they have already.
 */
export function createHints(bus: Bus, clock: Clock): Hints & { stop(): void } {
  let recent: Hint[] = [];
  let before: Hint[] = [];
  let bytes = 0;
  let began = clock.monotonic();

  function remember(hint: Hint): void {
    const old = bus.connected && clock.monotonic() - began > REMEMBERED_MS;
    const full = recent.length >= REMEMBERED || bytes + hint.event.length > REMEMBERED_BYTES;
    if (old || full) {
      before = recent;
      recent = [];
      bytes = 0;
      began = clock.monotonic();
    }
    recent.push(hint);
    bytes += hint.event.length;
  }

  function tell({ recipientIds, event, traceparent }: Hint): void {
    const headers = traceparent === undefined ? undefined : { traceparent };
    for (const id of recipientIds) bus.publish(subjects.im(id), event, headers);
  }

  const stop = bus.onContinuity(({ kind }) => {
    if (kind === 'restored') for (const hint of [...before, ...recent]) tell(hint);
  });

  return {
    publish(recipientIds, event, traceparent) {
      const hint = { recipientIds, event, traceparent };
      remember(hint);
      tell(hint);
    },
    stop,
  };
}
