import { backup, DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { StoreError } from '../../errors.ts';
import type { SqliteWriter } from '../../sqlite-writer.ts';
import { row, statement } from './statements.ts';

/** A database file as it was when the snapshot was opened, whatever is written to it meanwhile by whomever. */
export interface SqliteSnapshot {
  /**
   * For `createSqliteStore`, to read as services do. Writes are refused with `store.unavailable`.
   */
  readonly reader: SqliteWriter;
  /** Size of the snapshot, bytes. */
  readonly bytes: number;
  /**
   * Copies it into a new file, synced before it resolves. Writers and readers of the original do not wait; its
   * write-ahead log grows meanwhile, as it does under any long reader.
   */
  copyTo(path: string, progress?: (copiedBytes: number, bytes: number) => void): Promise<void>;
  /** What `PRAGMA quick_check`, or with `full` `PRAGMA integrity_check`, finds wrong, at most 20 lines; empty when nothing is. */
  check(full?: boolean): readonly string[];
  /** May be called more than once. */
  close(): void;
}

/** How to open a snapshot. */
export interface SqliteSnapshotOptions {
  readonly path: string;
  /** Nobody else has the file open or will change it: no `-wal` or `-shm` file is made beside it. Default false. */
  readonly immutable?: boolean;
}

/** Pages copied between two reports of progress: 16 MiB. */
const STEP_PAGES = 4_096;
const MOST_PROBLEMS = 20;

/** Opens a snapshot with a connection of its own, also while another process has the file open for writing. */
export function openSqliteSnapshot({ path, immutable = false }: SqliteSnapshotOptions): SqliteSnapshot {
  const db = openReadOnly(path, immutable);
  // The first read of a transaction fixes what all of it sees.
  db.exec('BEGIN');
  const pageBytes = number(db, 'PRAGMA page_size');
  const bytes = number(db, 'PRAGMA page_count') * pageBytes;
  const reader: SqliteWriter = {
    db,
    healthy: true,
    write: () => Promise.reject(new StoreError('store.unavailable', `${path} is open for reading only`)),
    durable: () => undefined,
    readFailed: cause => cause,
    close: async () => undefined,
  };
  return {
    reader,
    bytes,
    async copyTo(target, progress) {
      await backup(db, target, {
        rate: STEP_PAGES,
        progress: ({ remainingPages, totalPages }) =>
          progress?.((totalPages - remainingPages) * pageBytes, totalPages * pageBytes),
      });
      progress?.(bytes, bytes);
    },
    check(full = false) {
      const found = db.prepare(`PRAGMA ${full ? 'integrity_check' : 'quick_check'}(${MOST_PROBLEMS})`);
      found.setReturnArrays(true);
      const lines = (found.all() as unknown as string[][]).map(line => String(line[0]));
      return lines.length === 1 && lines[0] === 'ok' ? [] : lines;
    },
    close() {
      if (db.isOpen) db.close();
    },
  };
}

function openReadOnly(path: string, immutable: boolean): DatabaseSync {
  try {
    const url = pathToFileURL(path);
    if (immutable) url.searchParams.set('immutable', '1');
    const db = new DatabaseSync(url, { readOnly: true, timeout: 5000, enableForeignKeyConstraints: false });
    db.exec('PRAGMA cache_size=-65536; PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY');
    statement(db, 'SELECT count(*) FROM sqlite_schema').get();
    return db;
  } catch (cause) {
    throw new StoreError('store.unavailable', `cannot read the database ${path}`, { cause });
  }
}

const number = (db: DatabaseSync, sql: string): number => row(statement(db, sql))?.[0] as number;
