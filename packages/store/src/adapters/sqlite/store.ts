import type { Clock, Logger } from '@parley/runtime';
import { refuse, StoreError } from '../../errors.ts';
import { type CheckedSpec, checkSpec, type OrderedIndex } from '../../spec.ts';
import type { SqliteWriter } from '../../sqlite-writer.ts';
import type { Collection, CollectionSpec, Doc, Store } from '../../store.ts';
import { createSweeper } from '../../sweeper.ts';
import { sqliteCollection } from './collection.ts';
import { type Layout, readLayout } from './layout.ts';
import { migrateCollection, SOMETHING } from './migrate.ts';
import { quote, rows, statement } from './statements.ts';
import { deleteOne } from './writes.ts';

/** How to open a store. */
export interface SqliteStoreOptions {
  readonly writer: SqliteWriter;
  /** One service's database: the tables' prefix, `[a-z][a-z0-9_]{0,30}`. */
  readonly database: string;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** How often expired documents are looked for, milliseconds; default 60,000. */
  readonly sweepEveryMs?: number;
  /** Most documents removed by one write; default 500. */
  readonly sweepBatch?: number;
}

/** A store in the writer's file. Closing it leaves the writer open. */
export function createSqliteStore(options: SqliteStoreOptions): Store {
  const { writer, database, clock } = options;
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(database)) refuse('store.bad_spec', `database name "${database}" is not allowed`);
  const layouts = new Map<CheckedSpec, Layout>();
  const sweeper = createSweeper(options, removeDue);
  let closed = false;

  function layout(spec: CheckedSpec): Layout {
    if (closed) throw new StoreError('store.closed', 'the store is closed');
    let found = layouts.get(spec);
    if (!found) layouts.set(spec, (found = readLayout(writer.db, database, spec)));
    return found;
  }

  function removeDue(spec: CheckedSpec, index: OrderedIndex, now: number, batch: number): Promise<number> {
    const remove = (db: SqliteWriter['db']) => {
      const l = layout(spec);
      const field = quote(index.fields[0] as string);
      const sql = `SELECT _id FROM ${l.table} INDEXED BY ${quote(l.prefix + index.name)}
        WHERE ${field} ${SOMETHING} AND ${field} <= ? LIMIT ?`;
      const due = rows(statement(db, sql), now, batch);
      for (const r of due) deleteOne(db, l, r[0] as string, undefined);
      return due.length;
    };
    return writer.write(remove, { atomic: true });
  }

  return {
    collection<T extends Doc>(spec: CollectionSpec<T>): Collection<T> {
      const checked = checkSpec(spec);
      sweeper.watch(checked);
      return sqliteCollection<T>(writer, checked, () => layout(checked));
    },
    async migrate(specs: readonly CollectionSpec<Doc>[]): Promise<void> {
      if (closed) throw new StoreError('store.closed', 'the store is closed');
      const all = specs.map(checkSpec);
      await writer.write(db => {
        for (const spec of all) migrateCollection(db, database, spec);
      });
      layouts.clear();
    },
    now: async () => writer.now?.() ?? clock.now(),
    get connected(): boolean {
      return !closed && writer.healthy;
    },
    async close(): Promise<void> {
      closed = true;
      sweeper.stop();
    },
  };
}
