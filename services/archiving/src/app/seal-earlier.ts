import type { Clock, Module, Timer } from '@parley/runtime';
import { type SignedCheckpoint, sameCheckpoint, signedBytes } from '../domain/checkpoint.ts';
import { chainId, parseChain, parsePlace, placeOf } from '../domain/place.ts';
import type { Telemetry } from '../events.ts';
import type { ArchiveLog } from '../ports/archive-log.ts';
import type { CheckpointStore, LinkStore } from '../ports/archive-store.ts';
import type { CheckpointCopy } from '../ports/checkpoint-copy.ts';
import type { CheckpointSigner } from '../ports/checkpoint-signer.ts';

const RETRY_MS = 30_000;

export interface SealEarlierDeps {
  readonly clock: Clock;
  readonly log: ArchiveLog;
  readonly links: LinkStore;
  readonly checkpoints: CheckpointStore;
  readonly copy: CheckpointCopy;
  readonly signer: CheckpointSigner;
  readonly telemetry: Telemetry;
}

/**
 * Chains of earlier epochs of the log do not grow any more: a backup was restored, an export imported, the log replaced.
 * What they hold beyond their last statement gets a closing one, once, so that no tail of theirs can go unseen.
 */
export class SealEarlier implements Module {
  readonly name = 'archiving.seal';
  readonly #deps: SealEarlierDeps;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = true;

  constructor(deps: SealEarlierDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#stopped = false;
    this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #run(): void {
    this.#running = this.#sealAll().catch((cause: unknown) => {
      this.#deps.telemetry.sealFailed(cause);
      if (!this.#stopped) this.#timer = this.#deps.clock.timer(RETRY_MS, () => this.#run());
    });
  }

  async #sealAll(): Promise<void> {
    const { log, links } = this.#deps;
    const epoch = await log.epoch();
    for (let link = await links.next(undefined); link; ) {
      const chain = parsePlace(link.place)?.chain;
      if (chain === undefined) return;
      if (parseChain(chain)?.epoch !== epoch) await this.#seal(chain);
      link = await links.next(chain);
    }
  }

  async #seal(chain: string): Promise<void> {
    const { clock, links, checkpoints, copy, signer, telemetry } = this.#deps;
    const [first, last, kept, copied] = await Promise.all([
      links.first(chain),
      links.last(chain),
      checkpoints.last(chain),
      copy.last(chain),
    ]);
    const about = parseChain(chain);
    const offset = last && parsePlace(last.place)?.offset;
    if (!first || !last || !about || offset === undefined) return;
    const next = offset + 1;
    // Lost links are for a verification to find; nothing is signed over them.
    if (Math.max(kept?.next ?? 0, copied?.next ?? 0) > next) return;
    if (copied && (kept?.next ?? 0) < copied.next && (await this.#agrees(chain, copied)))
      await checkpoints.insert(copied);
    if (kept && (copied?.next ?? 0) < kept.next && (await this.#agrees(chain, kept))) await copy.append(chain, kept);
    if (kept?.next === next || copied?.next === next) return;
    const statement = {
      ...about,
      first: kept?.first ?? copied?.first ?? parsePlace(first.place)?.offset ?? 0,
      next,
      hash: Buffer.from(last.hash).toString('hex'),
      atMs: clock.now(),
    };
    const signature = Buffer.from(signer.sign(signedBytes(statement))).toString('base64url');
    const signed: SignedCheckpoint = { ...statement, keyId: signer.keyId, signature };
    // The database decides which of several replicas has said it: a second statement of its own would differ.
    await checkpoints.insert(signed);
    const there = await checkpoints.get(chain, next);
    if (!there || !sameCheckpoint(there, signed)) return;
    await copy.append(chain, signed);
    telemetry.sealed(chain, next);
  }

  /** Whether a statement is ours and the chain says the same. */
  async #agrees(chain: string, checkpoint: SignedCheckpoint): Promise<boolean> {
    const { links, signer } = this.#deps;
    const signature = Buffer.from(checkpoint.signature, 'base64url');
    if (chainId(checkpoint) !== chain || !signer.verify(checkpoint.keyId, signedBytes(checkpoint), signature))
      return false;
    const end = await links.get(placeOf(chain, checkpoint.next - 1));
    return end !== undefined && Buffer.from(end.hash).toString('hex') === checkpoint.hash;
  }
}
