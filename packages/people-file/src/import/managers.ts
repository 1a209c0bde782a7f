import { type PeopleRow, type PersonItem, problem } from '../row.ts';
import { addressKey } from '../values.ts';
import type { Entry } from './batches.ts';
import type { RowOutcome } from './outcome.ts';

/** A person whose manager is to be set. */
export interface Report {
  readonly line: number;
  /** What became of him before. */
  readonly action: RowOutcome['action'];
}

/**
 * Remembers who reports to whom until everybody is there. Managers named by their place in another directory are looked
 * up among the entries of the file.
 */
export function createManagers(dryRun: boolean) {
  const reports: (Report & Pick<PersonItem, 'row' | 'managerDn'>)[] = [];
  const byDn = new Map<string, string>();
  const made = new Set<string>();

  return {
    /** Takes the manager off a row; he is set later. */
    strip(item: PersonItem): PersonItem {
      if (item.dn !== undefined) byDn.set(item.dn, item.row.address);
      if (!item.row.manager) return item;
      const { manager: _, ...row } = item.row;
      return { ...item, row };
    },
    imported({ line, row, managerDn }: PersonItem, { action }: RowOutcome): void {
      const { externalId, address, displayName } = row;
      if (dryRun && action === 'created') for (const key of [address, externalId]) made.add(addressKey(key));
      if (!row.manager && managerDn === undefined) return;
      reports.push({
        line,
        action,
        row: {
          externalId,
          address,
          otherAddresses: [],
          // without a name, nobody can be made, not even as if
          ...(dryRun && action === 'created' && displayName !== undefined && { displayName }),
          ...(row.manager && { manager: row.manager }),
        },
        ...(managerDn !== undefined && { managerDn }),
      });
    },
    /** Who is left to be sent; `settled` hears of those whose manager an import as if would make. */
    *entries(settled: (report: Report) => void): Generator<Entry<Report>> {
      for (const { line, action, row, managerDn } of reports) {
        const manager = managerDn === undefined ? row.manager : byDn.get(managerDn);
        if (manager === undefined)
          yield problem(line, 'manager', 'people_file.manager_not_in_file', { dn: printed(managerDn ?? '') });
        else if (made.has(addressKey(manager))) settled({ line, action });
        else yield { line, action, row: { ...row, manager } satisfies PeopleRow };
      }
    },
  };
}

/** The inside of a key as people write it. */
const printed = (key: string) => key.replaceAll('\u0002', ',').replaceAll('\u0001', '+').slice(0, 256);
