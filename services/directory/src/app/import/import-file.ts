import type { Call } from '../call.ts';
import type { ImportPersonRow } from './check-row.ts';
import { type ImportNeeds, type ImportOutcome, importPeople } from './import-people.ts';

export interface ImportFileOptions {
  /** Checks and answers as if, and changes nothing. */
  readonly dryRun?: boolean;
  /** Of those made with a password; default true. */
  readonly passwordChangeRequired?: boolean;
}

export type ImportFileNeeds = ImportNeeds & { rehearsal(): ImportNeeds };

const atOnce = 200;

/** Any number of rows on behalf of the installation itself. */
export async function importFile(
  needs: ImportFileNeeds,
  rows: readonly ImportPersonRow[],
  options: ImportFileOptions = {},
  call: Call,
): Promise<readonly ImportOutcome[]> {
  const at = options.dryRun ? needs.rehearsal() : needs;
  const { passwordChangeRequired = true } = options;
  const outcomes: ImportOutcome[] = [];
  const order = managersFirst(rows);
  for (let i = 0; i < order.length; i += atOnce) {
    const part = order.slice(i, i + atOnce);
    const done = await importPeople(
      at,
      part.map(index => rows[index] as ImportPersonRow),
      { passwordChangeRequired },
      undefined,
      call,
    );
    for (const [j, index] of part.entries()) outcomes[index] = done[j] as ImportOutcome;
  }
  return outcomes;
}

/** Indexes of the rows, each after that of its manager; rows of the same person keep their order. */
function managersFirst(rows: readonly ImportPersonRow[]): readonly number[] {
  const named = new Map<string, number>();
  for (const [index, row] of rows.entries()) {
    for (const name of [row.externalId, row.address.toLowerCase(), ...(row.otherAddresses ?? [])]) {
      if (name && !named.has(name)) named.set(name, index);
    }
  }
  const managerOf = (index: number) => {
    const ref = rows[index]?.manager;
    return ref ? (named.get(ref) ?? named.get(ref.toLowerCase())) : undefined;
  };
  const ordered = new Set<number>();
  for (const index of rows.keys()) {
    const chain: number[] = [];
    const inChain = new Set<number>();
    for (
      let next: number | undefined = index;
      next !== undefined && !ordered.has(next) && !inChain.has(next);
      next = managerOf(next)
    ) {
      chain.push(next);
      inChain.add(next);
    }
    for (const next of chain.reverse()) ordered.add(next);
  }
  return [...ordered];
}
