import { PresenceInternalService, type ResolvedPresence as Wire } from '@parley/contracts/presence/v1/internal';
import type { ContactLevel } from '@parley/contracts/presence/v1/presence';
import { type Channel, createClient } from '@parley/rpc';
import { BLOCKED, type Level } from '../../domain/level.ts';
import type { PresenceReader, ResolvedPresence } from '../../ports/presence-reader.ts';

/** Views, made by the presence service. */
export function createPresenceReader(channel: Channel): PresenceReader {
  const presence = createClient(PresenceInternalService, channel);
  return {
    resolve: async (watcherId, personIds) =>
      read((await presence.resolve({ watcherId, presentityIds: [...personIds] })).resolved),
    newer: async digests =>
      read(
        (
          await presence.getDigests({
            keys: digests.map(({ personId, level, revision, aclRevision }) => ({
              presentityId: personId,
              level: level satisfies ContactLevel,
              // Without bytes the pod has revision -1, which no view ever had.
              revision: BigInt(Math.max(0, revision)),
              aclRevision: BigInt(Math.max(0, aclRevision)),
            })),
          })
        ).changed,
      ),
  };
}

/** Leaves out levels of a later version: who is seen at one of them stays unresolved. */
function read(resolved: readonly Wire[]): ResolvedPresence[] {
  return resolved
    .filter(({ level }) => level >= 1 && level <= BLOCKED)
    .map(({ presentityId, level, revision, aclRevision, view }) => ({
      personId: presentityId,
      level: level as Exclude<Level, 0>,
      revision: Number(revision),
      aclRevision: Number(aclRevision),
      view,
    }));
}
