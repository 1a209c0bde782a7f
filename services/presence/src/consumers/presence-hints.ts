import { fromBinary } from '@bufbuild/protobuf';
import { type Bus, type LevelToken, subjects } from '@parley/bus';
import { PresenceEnvelopeSchema } from '@parley/contracts/event/v1/bus';
import type { ViewCache } from '../app/view-cache.ts';
import type { PresenceEvents } from '../events.ts';

/** Keeps the views in memory up to date with what other replicas publish. Returns a function that stops it. */
export function followPresence(bus: Bus, views: ViewCache, events: PresenceEvents): () => void {
  const subscription = bus.subscribe(subjects.allPresence, ({ subject, data }) => {
    const [, id, level] = subject.split('.') as [string, string, LevelToken];
    try {
      const { revision, aclRevision, view } = fromBinary(PresenceEnvelopeSchema, data);
      views.heard(id, level, { rev: Number(revision), acl: Number(aclRevision), bytes: view });
    } catch {
      events.hintUnreadable('presence');
      views.clear();
    }
  });
  return () => subscription.unsubscribe();
}
