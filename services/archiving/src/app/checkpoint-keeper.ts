import { type Clock, createLoop, type Loop, type Module } from '@parley/runtime';
import type { ArchivingConfig } from '../config.ts';
import {
  type Checkpoint,
  checkpointId,
  type SignedCheckpoint,
  sameCheckpoint,
  sameStatement,
  signedBytes,
} from '../domain/checkpoint.ts';
import { type Chain, chainId, parsePlace, placeOf } from '../domain/place.ts';
import type { Telemetry } from '../events.ts';
import type { ArchiveLog } from '../ports/archive-log.ts';
import type { CheckpointStore, LinkStore } from '../ports/archive-store.ts';
import type { CheckpointCopy } from '../ports/checkpoint-copy.ts';
import type { CheckpointSigner } from '../ports/checkpoint-signer.ts';
import type { Head } from './archive-records.ts';

export interface CheckpointKeeperDeps {
  readonly clock: Clock;
  readonly log: ArchiveLog;
  readonly links: LinkStore;
  readonly checkpoints: CheckpointStore;
  readonly copy: CheckpointCopy;
  readonly signer: CheckpointSigner;
  readonly heads: () => ReadonlyMap<number, Head>;
  readonly settings: Pick<ArchivingConfig, 'checkpointMs' | 'trim' | 'trimKeepRecords' | 'trimGroups'>;
  readonly telemetry: Telemetry;
}

/**
 * States under signature, every `checkpointMs`, how far each chain is that is written here; first in the second place,
 * then in the database. What lies well below a statement that could be read back from both is removed from the log.
 */
export class CheckpointKeeper implements Module {
  readonly name = 'archiving.checkpoints';
  readonly #deps: CheckpointKeeperDeps;
  readonly #loop: Loop;
  #stopped = true;

  constructor(deps: CheckpointKeeperDeps) {
    this.#deps = deps;
    this.#loop = createLoop({ clock: deps.clock, everyMs: deps.settings.checkpointMs, turn: () => this.round() });
  }

  async start(): Promise<void> {
    this.#stopped = false;
    this.#loop.start();
  }

  /** Leaves a last statement behind, so that nothing archived here stays without one. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.#loop.stop();
    await this.round();
  }

  /** One statement for each chain that has grown since its last one. */
  async round(): Promise<void> {
    const { log, heads, telemetry } = this.#deps;
    for (const [partition, head] of [...heads()]) {
      try {
        const chain = { epoch: await log.epoch(), topic: log.topic, partition };
        const checkpoint = await this.#state(chain, head);
        if (checkpoint) await this.#trim(checkpoint);
      } catch (cause) {
        telemetry.checkpointFailed(partition, cause);
      }
    }
  }

  async #state(chain: Chain, head: Head): Promise<SignedCheckpoint | undefined> {
    const { links, checkpoints, copy, signer, clock, telemetry } = this.#deps;
    const id = chainId(chain);
    const last = await this.#agree(id);
    if (last && last.next >= head.next) return last;
    const [first, end] = await Promise.all([links.first(id), links.get(placeOf(id, head.next - 1))]);
    // The partition has moved on, or somebody changed the chain under our hands: nothing of that is signed here.
    if (!first || !end || Buffer.compare(end.hash, head.hash) !== 0) {
      telemetry.headDiffers(id, head.next);
      return undefined;
    }
    const statement: Checkpoint = {
      ...chain,
      first: last?.first ?? parsePlace(first.place)?.offset ?? 0,
      next: head.next,
      hash: Buffer.from(head.hash).toString('hex'),
      atMs: clock.now(),
    };
    const signature = Buffer.from(signer.sign(signedBytes(statement))).toString('base64url');
    const signed = { ...statement, keyId: signer.keyId, signature };
    await copy.append(id, signed);
    await checkpoints.insert(signed);
    telemetry.checkpointed(chain.partition, signed.next, signed.atMs);
    return signed;
  }

  /** The last statement, in both places: a crash between the two writes may have left it in one. */
  async #agree(chain: string): Promise<SignedCheckpoint | undefined> {
    const { checkpoints, copy, telemetry } = this.#deps;
    const [kept, copied] = await Promise.all([checkpoints.last(chain), copy.last(chain)]);
    if (copied && (!kept || kept.next < copied.next)) {
      if (!this.#isOurs(copied)) telemetry.copyDiffers(chain);
      else await checkpoints.insert(copied);
      return copied;
    }
    if (kept && (!copied || copied.next < kept.next)) {
      if (!this.#isOurs(kept)) telemetry.copyDiffers(chain);
      else await copy.append(chain, kept);
      return kept;
    }
    if (kept && copied && !(sameStatement(kept, copied) && this.#isOurs(copied))) telemetry.copyDiffers(chain);
    return kept;
  }

  #isOurs(checkpoint: SignedCheckpoint): boolean {
    const signature = Buffer.from(checkpoint.signature, 'base64url');
    return this.#deps.signer.verify(checkpoint.keyId, signedBytes(checkpoint), signature);
  }

  /** Removes from the log what is proven, has been read by all who read it, and is older than the reserve. */
  async #trim(checkpoint: SignedCheckpoint): Promise<void> {
    const { log, settings, telemetry } = this.#deps;
    if (!settings.trim || !(await this.#isVerified(checkpoint))) return;
    const { partition } = checkpoint;
    const positions = await Promise.all(settings.trimGroups.map(group => log.committed(group)));
    const read = positions.map(position => position.get(partition) ?? 0);
    const below = Math.min(checkpoint.next, ...read) - settings.trimKeepRecords;
    const low = (await log.ends()).find(end => end.partition === partition)?.low ?? 0;
    // In steps: a trim is a write of its own.
    if (below - low < Math.max(1, settings.trimKeepRecords / 10)) return;
    await log.trim(partition, below);
    telemetry.trimmed(partition, below);
  }

  /** Whether it can be read back from both places, is signed, and the chain says the same. */
  async #isVerified(checkpoint: SignedCheckpoint): Promise<boolean> {
    const { checkpoints, copy, links } = this.#deps;
    const chain = chainId(checkpoint);
    const [kept, copied, end] = await Promise.all([
      checkpoints.last(chain),
      copy.last(chain),
      links.get(placeOf(chain, checkpoint.next - 1)),
    ]);
    return (
      kept !== undefined &&
      copied !== undefined &&
      checkpointId(kept) === checkpointId(checkpoint) &&
      sameCheckpoint(kept, checkpoint) &&
      sameStatement(copied, checkpoint) &&
      this.#isOurs(kept) &&
      this.#isOurs(copied) &&
      end !== undefined &&
      Buffer.from(end.hash).toString('hex') === kept.hash
    );
  }
}
