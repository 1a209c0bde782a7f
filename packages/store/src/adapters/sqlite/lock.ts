import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../errors.ts';

/**
 * Takes the lock `<path>.lock` for this process. It is a file lock of the operating system, so that it ends with the
 * process however that ends. Throws `store.locked` when another process has it.
 */
export function lockDatabase(path: string): { release(): void } {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(`${path}.lock`, { timeout: 0 });
    db.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE');
  } catch (cause) {
    db?.close();
    const busy = ((cause as { errcode?: number }).errcode ?? 0) % 256 === 5;
    if (busy)
      throw new StoreError(
        'store.locked',
        `${path} is in use by another process; stop it or choose another directory`,
        {
          cause,
        },
      );
    throw new StoreError('store.unavailable', `cannot lock ${path}`, { cause });
  }
  const held = db;
  return { release: () => held.close() };
}
