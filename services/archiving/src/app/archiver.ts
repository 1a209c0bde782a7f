import { genesisOf } from '../domain/link.ts';
import { chainId, parsePlace, placeOf } from '../domain/place.ts';
import type { Telemetry } from '../events.ts';
import type { ArchiveLog, LogEntry } from '../ports/archive-log.ts';
import type { LinkStore } from '../ports/archive-store.ts';
import type { ArchiveRecords, Head } from './archive-records.ts';

const READ_AT_ONCE = 1_000;

export interface ArchiverDeps {
  readonly log: ArchiveLog;
  readonly links: LinkStore;
  readonly archive: ArchiveRecords;
  readonly telemetry: Telemetry;
}

/** Contiguous records of one partition. */
export interface Batch {
  readonly partition: number;
  readonly records: readonly LogEntry[];
  readonly high: number;
}

interface State extends Head {
  /** Whether links may be there that this process did not write. */
  readonly sure: boolean;
}

/**
 * Turns the log into chains. It remembers where each chain it writes stands; a partition that is new to it, or that
 * somebody else wrote meanwhile, is looked at link by link.
 */
export class Archiver {
  readonly #deps: ArchiverDeps;
  readonly #heads = new Map<number, State>();

  constructor(deps: ArchiverDeps) {
    this.#deps = deps;
  }

  /** Where the chains stand that were written here, by partition. */
  heads(): ReadonlyMap<number, Head> {
    return this.#heads;
  }

  async handle({ partition, records, high }: Batch): Promise<void> {
    const first = records[0];
    if (!first) return;
    const chain = chainId({ epoch: await this.#deps.log.epoch(), topic: this.#deps.log.topic, partition });
    const known = this.#heads.get(partition);
    try {
      const head = known?.next === first.offset ? known : await this.#takeOver(chain, partition, first.offset);
      const next = await this.#deps.archive(chain, head, records, !head.sure);
      this.#heads.set(partition, { ...next, sure: true });
      this.#deps.telemetry.lag(partition, Math.max(0, high - next.next));
    } catch (error) {
      // What was written is not known: the next batch looks.
      this.#heads.delete(partition);
      throw error;
    }
  }

  /** The chain up to `offset`, completed from the log where links are missing. */
  async #takeOver(chain: string, partition: number, offset: number): Promise<State> {
    const { links } = this.#deps;
    const before = offset > 0 ? await links.get(placeOf(chain, offset - 1)) : undefined;
    if (before) return { next: offset, hash: before.hash, sure: false };
    const last = await links.last(chain, placeOf(chain, offset));
    const low = (await this.#deps.log.ends()).find(end => end.partition === partition)?.low ?? 0;
    const wanted = last ? (parsePlace(last.place)?.offset ?? 0) + 1 : 0;
    const from = Math.min(Math.max(wanted, low), offset);
    // Without any link this is a new archive, and it begins where the log does.
    if (last && from > wanted) this.#deps.telemetry.gap(chain, wanted, from);
    const head = { next: from, hash: last?.hash ?? genesisOf(chain) };
    return { ...(await this.#backfill(chain, partition, head, offset)), sure: false };
  }

  async #backfill(chain: string, partition: number, start: Head, end: number): Promise<Head> {
    let head = start;
    while (head.next < end) {
      const records = await this.#deps.log.read(partition, head.next, Math.min(READ_AT_ONCE, end - head.next));
      const usable = records.filter(record => record.offset < end);
      if (usable[0]?.offset !== head.next) {
        this.#deps.telemetry.gap(chain, head.next, usable[0]?.offset ?? end);
        if (!usable[0]) return { ...head, next: end };
      }
      head = await this.#deps.archive(chain, head, usable, true);
    }
    return head;
  }
}
