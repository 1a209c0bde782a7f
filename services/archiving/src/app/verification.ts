import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '@parley/runtime';
import type { ArchivingConfig } from '../config.ts';
import type { Link } from '../domain/link.ts';
import { chainId, parsePlace, placeOf, withinChain } from '../domain/place.ts';
import { emptyTally, type Finding, type Step, type Tally, walkChain } from '../domain/walk.ts';
import type { Telemetry } from '../events.ts';
import type { ContentStore } from '../ports/archive-store.ts';
import type { RecordCodec } from '../ports/codec.ts';
import { type VerifyCheckpointsDeps, verifyCheckpoints } from './verify-checkpoints.ts';

const MOST_FINDINGS = 1_000;

export interface VerificationDeps extends VerifyCheckpointsDeps {
  readonly contents: ContentStore;
  readonly codec: RecordCodec;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly settle: (waitMs: number, signal: AbortSignal) => Promise<unknown>;
  readonly settings: Pick<ArchivingConfig, 'verifyPage' | 'progressMs' | 'copyGraceMs'>;
}

export interface VerificationOptions {
  readonly reportRecords: boolean;
  readonly settleMs: number;
  readonly signal: AbortSignal;
  /** Awaited after each page. */
  readonly pause?: () => Promise<void>;
}

export interface ReportedRecord {
  readonly recordId: string;
  readonly place: string;
  readonly state: number;
  readonly acceptedMs: number;
}

export interface VerifyOutcome extends Readonly<Tally> {
  readonly intact: boolean;
  readonly checkpoints: number;
  readonly findings: number;
  readonly beyondCheckpoint: number;
}

export type VerifyEvent =
  | { readonly kind: 'progress'; readonly links: number; readonly total: number }
  | { readonly kind: 'finding'; readonly finding: Finding }
  | { readonly kind: 'record'; readonly record: ReportedRecord }
  | { readonly kind: 'result'; readonly result: VerifyOutcome };

export type Verification = (options: VerificationOptions) => AsyncGenerator<VerifyEvent>;

interface Extent {
  readonly chain: string;
  /** Offset of the first link there is, and beyond the last one when the verification began. */
  readonly from: number;
  readonly to: number;
}

/** Checks everything again: links, contents and checkpoints, page by page, up to where the archive was at the start. */
export function createVerification(deps: VerificationDeps): Verification {
  const { links, checkpoints, copy, contents, codec, clock, settings, telemetry } = deps;

  async function extents(): Promise<readonly Extent[]> {
    const chains = new Set(await copy.chains());
    for (let link = await links.next(undefined); link; link = await links.next(chainOf(link)))
      chains.add(chainOf(link));
    for (let cp = await checkpoints.next(undefined); cp; ) {
      const chain = chainId(cp);
      chains.add(chain);
      cp = await checkpoints.next(chain);
    }
    const found: Extent[] = [];
    for (const chain of [...chains].sort()) {
      const [first, last] = await Promise.all([links.first(chain), links.last(chain)]);
      const from = first ? (parsePlace(first.place)?.offset ?? 0) : 0;
      found.push({ chain, from, to: last ? (parsePlace(last.place)?.offset ?? -1) + 1 : 0 });
    }
    return found;
  }

  /** Where a chain must begin, by its checkpoints. */
  async function beginning(chain: string): Promise<number | undefined> {
    const [kept] = await checkpoints.page(chain, 0, 1);
    for await (const copied of copy.read(chain)) return Math.min(copied.first, kept?.first ?? copied.first);
    return kept?.first;
  }

  async function steps(page: readonly Link[]): Promise<readonly Step[]> {
    const ids = [...new Set(page.map(link => link.contentId))];
    const found = new Map((await contents.getMany(ids)).map(content => [content.id, content]));
    return page.map(link => {
      const content = found.get(link.contentId);
      return { link, content, record: content && codec.decode(content.raw) };
    });
  }

  return async function* verification({ reportRecords, settleMs, signal, pause }) {
    if (settleMs > 0) await deps.settle(settleMs, signal);
    const startedMs = clock.now();
    const all = await extents();
    const total = all.reduce((sum, { from, to }) => sum + to - from, 0);
    const tally = emptyTally();
    let findings = 0;
    let checked = 0;
    let beyondCheckpoint = 0;
    let reportedAt = clock.monotonic();

    function* report(some: readonly Finding[]): Generator<VerifyEvent> {
      for (const finding of some) {
        telemetry.finding(finding.kind, finding.place);
        if (++findings <= MOST_FINDINGS) yield { kind: 'finding', finding };
      }
    }

    async function* progress(): AsyncGenerator<VerifyEvent> {
      // Lets others have their turn, even when the store answers at once.
      await turn();
      await pause?.();
      signal.throwIfAborted();
      if (clock.monotonic() - reportedAt < settings.progressMs) return;
      reportedAt = clock.monotonic();
      yield { kind: 'progress', links: tally.links, total };
    }

    for (const { chain, to } of all) {
      const walk = walkChain(chain, await beginning(chain), tally);
      const end = to === 0 ? withinChain(chain).lt : placeOf(chain, to);
      for (let after: string | undefined; ; ) {
        const page = await links.page(chain, after, end, settings.verifyPage);
        for (const step of await steps(page)) {
          yield* report(walk.step(step));
          if (reportRecords) yield { kind: 'record', record: recordOf(step) };
        }
        yield* progress();
        if (page.length < settings.verifyPage) break;
        after = page.at(-1)?.place;
      }
      let provenTo = 0;
      for await (const verdict of verifyCheckpoints(deps, chain, startedMs - settings.copyGraceMs)) {
        yield* report(verdict.findings);
        checked += verdict.checked;
        provenTo = Math.max(provenTo, verdict.provenTo);
        yield* progress();
      }
      beyondCheckpoint += Math.max(0, to - provenTo);
    }
    const intact = findings === 0;
    telemetry.verified(intact, tally.links, findings);
    yield { kind: 'progress', links: tally.links, total };
    yield { kind: 'result', result: { ...tally, intact, checkpoints: checked, findings, beyondCheckpoint } };
  };
}

const chainOf = (link: Link): string => parsePlace(link.place)?.chain ?? '';

function recordOf({ link, content }: Step): ReportedRecord {
  const { recordId, place, state } = link;
  return { recordId, place, state, acceptedMs: content?.acceptedMs ?? 0 };
}
