import { fromBinary } from '@bufbuild/protobuf';
import { type Bus, subjects } from '@parley/bus';
import { DirectoryChangedSchema } from '@parley/contracts/event/v1/bus';
import type { PresenceEvents } from '../events.ts';
import type { WatcherMemory } from '../ports/watchers.ts';

const EVERYBODY = '_global';

/** Forgets watchers whose directory entry changed. Returns a function that stops it. */
export function followDirectory(bus: Bus, watchers: WatcherMemory, events: PresenceEvents): () => void {
  const subscription = bus.subscribe(subjects.allDirectoryChanged, ({ subject, data }) => {
    const id = subject.slice(subject.lastIndexOf('.') + 1);
    if (id === EVERYBODY) return watchers.invalidateAll();
    try {
      watchers.invalidate(id, Number(fromBinary(DirectoryChangedSchema, data).version));
    } catch {
      events.hintUnreadable('directory');
      watchers.invalidateAll();
    }
  });
  return () => subscription.unsubscribe();
}
