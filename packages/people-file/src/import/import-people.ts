import { isProblem, type PeopleFileItem, type PersonItem, type Problem, problem } from '../row.ts';
import { addressKey } from '../values.ts';
import { type BatchOptions, createBatches } from './batches.ts';
import { createManagers, type Report } from './managers.ts';
import { type ImportCounts, type ImportEvents, refusalOf } from './outcome.ts';

/** How to import. */
export interface ImportOptions extends BatchOptions, ImportEvents {
  /** `send` changes nothing; managers that the file itself would make count as being there. */
  readonly dryRun?: boolean;
  /** Ends the import between two rows. */
  readonly signal?: AbortSignal;
}

/**
 * Imports what `readPeopleFile` reads: every row first without its manager, then the managers, so that the order of the
 * file does not matter. Of several rows about the same person, the first is imported and the others are refused.
 * Resolves with the counts. Rejects with what `send` or the reading threw once the calls under way have ended; what was
 * counted until then was told by `onProgress`.
 *
 * Keeps in memory the rows under way and, for each person of the file, a few addresses.
 */
export async function importPeople(
  items: AsyncIterable<PeopleFileItem>,
  options: ImportOptions,
): Promise<ImportCounts> {
  const counts = { rows: 0, created: 0, updated: 0, unchanged: 0, refused: 0, managersRefused: 0, skipped: 0 };
  const firstLineOf = new Map<string, number>();
  const managers = createManagers(options.dryRun === true);

  const rows = createBatches<{ readonly item: PersonItem }>(options, (entry, outcome) => {
    if (isProblem(entry)) {
      counts.refused++;
      options.onProblem?.(entry);
    } else if (outcome) {
      counts[outcome.action]++;
      options.onRow?.(entry.item, outcome);
      if (outcome.action === 'refused') options.onProblem?.(refusalOf(entry.line, outcome));
      else managers.imported(entry.item, outcome);
    }
    options.onProgress?.(counts);
  });
  /** A manager was set: somebody who seemed unchanged is not. */
  const changed = ({ action }: Report) => {
    if (action !== 'unchanged') return;
    counts.unchanged--;
    counts.updated++;
  };
  const reports = createBatches<Report>(options, (entry, outcome) => {
    if (isProblem(entry) || outcome?.action === 'refused') {
      counts.managersRefused++;
      options.onProblem?.(
        isProblem(entry) ? entry : refusalOf(entry.line, outcome as NonNullable<typeof outcome>, 'manager'),
      );
    } else if (outcome?.action === 'updated') changed(entry);
    options.onProgress?.(counts);
  });

  /** The problem of a row about somebody of whom an earlier row was. */
  function repeated({ line, row }: PersonItem): Problem | undefined {
    const keys = [
      ['address', `a ${addressKey(row.address)}`] as const,
      ...(row.externalId === '' ? [] : [['external_id', `x ${row.externalId}`] as const]),
    ];
    for (const [field, key] of keys) {
      const first = firstLineOf.get(key);
      if (first !== undefined) return problem(line, field, 'people_file.duplicate', { line: first });
    }
    for (const [, key] of keys) firstLineOf.set(key, line);
    return undefined;
  }

  try {
    for await (const item of items) {
      options.signal?.throwIfAborted();
      if ('skipped' in item) {
        counts.skipped++;
        continue;
      }
      counts.rows++;
      const refused = isProblem(item) ? item : repeated(item);
      await rows.add(refused ?? entryOf(item as PersonItem));
    }
    await rows.end();
    for (const report of managers.entries(changed)) {
      options.signal?.throwIfAborted();
      await reports.add(report);
    }
    await reports.end();
  } catch (error) {
    await rows.drain();
    await reports.drain();
    throw error;
  }
  return counts;

  function entryOf(item: PersonItem) {
    const { line, row } = managers.strip(item);
    return { line, row, item };
  }
}
