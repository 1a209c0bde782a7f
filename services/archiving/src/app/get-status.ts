import type { CallContext } from '@parley/rpc';
import { chainId, parsePlace } from '../domain/place.ts';
import { summaryOf } from '../domain/policy-summary.ts';
import { archivingErrors } from '../errors.ts';
import type { ArchiveLog, Ends } from '../ports/archive-log.ts';
import type { CheckpointStore, LinkStore } from '../ports/archive-store.ts';
import type { CheckpointSigner } from '../ports/checkpoint-signer.ts';
import type { IndexStore } from '../ports/index-store.ts';
import type { PolicyReader } from '../ports/policy.ts';
import type { VerificationOutcome, VerificationStore } from '../ports/verification-store.ts';
import { countNotIndexed } from './chains.ts';

export interface StatusDeps {
  readonly log: ArchiveLog;
  readonly links: LinkStore;
  readonly countParked: () => Promise<number>;
  readonly checkpoints: CheckpointStore;
  readonly policy: PolicyReader;
  readonly index: IndexStore;
  readonly signer: CheckpointSigner;
  readonly verifications: VerificationStore;
}

export interface PartitionState {
  readonly epoch: number;
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: number;
  readonly nextOffset: number;
  readonly lag: number;
  readonly checkpointMs: number;
  readonly checkpointCount: number;
  readonly headHash: string;
}

export interface Status {
  readonly partitions: readonly PartitionState[];
  readonly parked: number;
  readonly policySummary: string;
  /** People whose own policy differs from that; 0 when the directory does not answer. */
  readonly peopleWithOwnPolicy: number;
  readonly notIndexed: number;
  readonly signingKeyId: string;
  /** SPKI PEM. */
  readonly signingPublicKey: string;
  /** How the last verification ended that archiving made by itself. */
  readonly verified: VerificationOutcome | undefined;
}

/** How far the archive is. Read from store and log, so that every replica says the same. */
export function createGetStatus(deps: StatusDeps): (context: CallContext) => Promise<Status> {
  const { log, links, checkpoints, policy, index, signer } = deps;

  async function partitionState(epoch: number, { partition, low, high }: Ends): Promise<PartitionState> {
    const { topic } = log;
    const chain = chainId({ epoch, topic, partition });
    const [first, last, checkpoint] = await Promise.all([
      links.first(chain),
      links.last(chain),
      checkpoints.last(chain),
    ]);
    const nextOffset = last ? (parsePlace(last.place)?.offset ?? 0) + 1 : low;
    return {
      ...{ epoch, topic, partition, nextOffset },
      firstOffset: first ? (parsePlace(first.place)?.offset ?? 0) : low,
      lag: Math.max(0, high - nextOffset),
      checkpointMs: checkpoint?.atMs ?? 0,
      checkpointCount: checkpoint ? checkpoint.next - checkpoint.first : 0,
      headHash: last ? Buffer.from(last.hash).toString('hex') : '',
    };
  }

  return async context => {
    const asked = policy.global(context);
    try {
      const [epoch, ends] = await Promise.all([log.epoch(), log.ends()]);
      const partitions = await Promise.all(ends.map(end => partitionState(epoch, end)));
      const [parked, notIndexed, state] = await Promise.all([
        deps.countParked(),
        countNotIndexed(links, index),
        deps.verifications.read(),
      ]);
      const key = { signingKeyId: signer.keyId, signingPublicKey: signer.publicPem };
      const global = await asked;
      const who = { policySummary: summaryOf(global), peopleWithOwnPolicy: global?.exceptions ?? 0 };
      return { partitions, parked, notIndexed, ...who, ...key, verified: state?.last };
    } catch (cause) {
      throw archivingErrors('archive.store_unavailable', { retryAfterMs: 1_000, cause });
    }
  };
}
