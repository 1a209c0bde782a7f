import { parsePlace } from '../domain/place.ts';
import type { LinkStore } from '../ports/archive-store.ts';
import type { IndexStore } from '../ports/index-store.ts';

/** Every chain that has links. */
export async function* chainsOf(links: LinkStore): AsyncGenerator<string> {
  for (let link = await links.next(undefined); link; ) {
    const chain = parsePlace(link.place)?.chain ?? '';
    yield chain;
    link = await links.next(chain);
  }
}

/** Where a chain ends and how much of it can be found by words. */
export interface ChainExtent {
  readonly chain: string;
  /** Offset beyond the last link. */
  readonly next: number;
  readonly indexed: number;
}

export async function extentsOf(links: LinkStore, index: IndexStore): Promise<readonly ChainExtent[]> {
  const found: ChainExtent[] = [];
  for await (const chain of chainsOf(links)) {
    const [last, position] = await Promise.all([links.last(chain), index.position(chain)]);
    const next = last ? (parsePlace(last.place)?.offset ?? -1) + 1 : 0;
    found.push({ chain, next, indexed: Math.min(next, position?.next ?? 0) });
  }
  return found;
}

/** Records that are archived and not in the index, repetitions among them. */
export async function countNotIndexed(links: LinkStore, index: IndexStore): Promise<number> {
  let count = 0;
  for (const { chain, next, indexed } of await extentsOf(links, index)) {
    const first = indexed === 0 ? (parsePlace((await links.first(chain))?.place ?? '')?.offset ?? 0) : 0;
    count += Math.max(0, next - Math.max(indexed, first));
  }
  return count;
}
