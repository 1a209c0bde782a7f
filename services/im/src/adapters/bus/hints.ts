import { type Bus, subjects } from '@parley/bus';
import type { Hints } from '../../ports/hints.ts';

export function createHints(bus: Bus): Hints {
  return {
    publish(recipientIds, event, traceparent) {
      const headers = traceparent === undefined ? undefined : { traceparent };
      for (const id of recipientIds) bus.publish(subjects.im(id), event, headers);
    },
  };
}
