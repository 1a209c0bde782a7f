import { type SignedCheckpoint, sameCheckpoint, sameStatement, signedBytes } from '../domain/checkpoint.ts';
import { placeOf } from '../domain/place.ts';
import type { Finding } from '../domain/walk.ts';
import type { CheckpointStore, LinkStore } from '../ports/archive-store.ts';
import type { CheckpointCopy } from '../ports/checkpoint-copy.ts';
import type { CheckpointSigner } from '../ports/checkpoint-signer.ts';

const PAGE = 500;
/** Lines of the second place that may come between that of a checkpoint and where its turn was. */
const MOST_LATE = 10_000;

export interface VerifyCheckpointsDeps {
  readonly links: LinkStore;
  readonly checkpoints: CheckpointStore;
  readonly copy: CheckpointCopy;
  readonly signer: CheckpointSigner;
}

/** What the checkpoints of a chain prove. */
export interface CheckpointVerdict {
  readonly findings: readonly Finding[];
  /** Checkpoints that were looked at; what stands in both places alike counts once. */
  readonly checked: number;
  /** Next offset of the furthest one that agrees with the chain. */
  readonly provenTo: number;
}

/**
 * Compares every checkpoint, in the database and in the second place, with the chain and the two with each other. Those
 * made at `youngerThanMs` or later may still be on their way into one of the places.
 */
export async function* verifyCheckpoints(
  deps: VerifyCheckpointsDeps,
  chain: string,
  youngerThanMs: number,
): AsyncGenerator<CheckpointVerdict> {
  let batch: Doubt[] = [];
  for await (const doubt of inBothPlaces(deps, chain, youngerThanMs)) {
    batch.push(doubt);
    if (batch.length < PAGE) continue;
    yield judge(deps, chain, batch);
    batch = [];
  }
  if (batch.length > 0) yield judge(deps, chain, batch);
}

/** A checkpoint to be compared with the chain, and what is wrong with the places it stands in. */
interface Doubt {
  readonly checkpoint: SignedCheckpoint;
  readonly wrong: string | undefined;
}

async function judge(deps: VerifyCheckpointsDeps, chain: string, doubts: readonly Doubt[]) {
  const places = [...new Set(doubts.map(({ checkpoint }) => placeOf(chain, checkpoint.next - 1)))];
  const found = new Map((await deps.links.getMany(places)).map(link => [link.place, link]));
  const first = await deps.links.first(chain);
  const findings: Finding[] = [];
  let provenTo = 0;
  for (const { checkpoint, wrong } of doubts) {
    const place = placeOf(chain, checkpoint.next - 1);
    if (wrong) findings.push({ kind: 'checkpoint_copy_differs', place, detail: wrong });
    const signature = Buffer.from(checkpoint.signature, 'base64url');
    if (!deps.signer.verify(checkpoint.keyId, signedBytes(checkpoint), signature)) {
      findings.push({ kind: 'bad_signature', place, detail: `by key ${checkpoint.keyId.slice(0, 64)}` });
      continue;
    }
    const detail = mismatch(checkpoint, chain, found.get(place)?.hash, first?.place);
    if (detail) findings.push({ kind: 'checkpoint_mismatch', place, detail });
    else provenTo = Math.max(provenTo, checkpoint.next);
  }
  return { findings, checked: doubts.length, provenTo };
}

function mismatch(
  { first, next, hash }: SignedCheckpoint,
  chain: string,
  found: Uint8Array | undefined,
  begins: string | undefined,
): string | undefined {
  if (!found) return `the chain does not reach offset ${next - 1}`;
  if (Buffer.from(found).toString('hex') !== hash) return 'the chain has another hash there';
  return begins === placeOf(chain, first) ? undefined : `the chain does not begin at offset ${first}`;
}

/**
 * Lines of the second place may repeat or come late: a replica that was held up between two writes has the turn of the
 * next one. What the database has is in order.
 */
async function* inBothPlaces(deps: VerifyCheckpointsDeps, chain: string, youngerThanMs: number): AsyncGenerator<Doubt> {
  const kept = inDatabase(deps.checkpoints, chain);
  const nextKept = async () => ((await kept.next()) as IteratorResult<SignedCheckpoint, undefined>).value;
  const alone = (checkpoint: SignedCheckpoint, wrong: string): Doubt => ({
    checkpoint,
    wrong: checkpoint.atMs >= youngerThanMs ? undefined : wrong,
  });
  const onlyKept = (checkpoint: SignedCheckpoint) => alone(checkpoint, 'not in the second place');
  /** Of the database, by their ends; their lines have not come. */
  const awaited = new Map<number, SignedCheckpoint>();
  let own = await nextKept();
  for await (const copy of deps.copy.read(chain)) {
    const { next } = copy;
    const there = awaited.get(next) ?? (own?.next === next ? own : await deps.checkpoints.get(chain, next));
    const same = there !== undefined && sameCheckpoint(there, copy);
    // Only a line that is genuine says that the turn of others has passed.
    for (; own && (own.next === next || (same && own.next < next)); own = await nextKept()) awaited.set(own.next, own);
    if (!there) yield alone(copy, 'not in the database');
    else if (same) {
      if (awaited.delete(next)) yield { checkpoint: there, wrong: undefined };
    } else {
      // The copy is the one that nobody with the database alone can change, so it is held against the chain as well.
      if (!sameStatement(there, copy) && awaited.delete(next))
        yield { checkpoint: there, wrong: 'the two places differ' };
      yield { checkpoint: copy, wrong: undefined };
    }
    for (const late of awaited.values()) {
      if (awaited.size <= MOST_LATE) break;
      awaited.delete(late.next);
      yield onlyKept(late);
    }
  }
  for (const late of awaited.values()) yield onlyKept(late);
  for (; own; own = await nextKept()) yield onlyKept(own);
}

async function* inDatabase(checkpoints: CheckpointStore, chain: string): AsyncGenerator<SignedCheckpoint> {
  for (let after = 0; ; ) {
    const page = await checkpoints.page(chain, after, PAGE);
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)?.next ?? after;
  }
}
