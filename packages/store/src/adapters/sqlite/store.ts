import type { Clock, Logger, Timer } from '@parley/runtime';
import { refuse, StoreError } from '../../errors.ts';
import { type CheckedSpec, checkSpec } from '../../spec.ts';
import type { SqliteWriter } from '../../sqlite-writer.ts';
import type { Collection, CollectionSpec, Doc, Store } from '../../store.ts';
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
  const expiring = new Map<string, CheckedSpec>();
  let timer: Timer | undefined;
  let closed = false;

  function layout(spec: CheckedSpec): Layout {
    if (closed) throw new StoreError('store.closed', 'the store is closed');
    let found = layouts.get(spec);
    if (!found) layouts.set(spec, (found = readLayout(writer.db, database, spec)));
    return found;
  }

  function keepSwept(spec: CheckedSpec): void {
    if (!spec.ordered.some(i => i.expiring)) return;
    expiring.set(spec.name, spec);
    timer ??= clock.timer(options.sweepEveryMs ?? 60_000, () => void sweep());
  }

  async function sweep(): Promise<void> {
    try {
      for (const spec of expiring.values())
        for (const index of spec.ordered)
          if (index.expiring) await sweepIndex(spec, index.fields[0] as string, index.name);
    } catch (err) {
      if (!closed) options.logger?.warn('store.sweep.failed', { err: String(err) });
    }
    if (!closed) timer = clock.timer(options.sweepEveryMs ?? 60_000, () => void sweep());
  }

  async function sweepIndex(spec: CheckedSpec, field: string, index: string): Promise<void> {
    const batch = options.sweepBatch ?? 500;
    for (let removed = batch; removed === batch && !closed; ) {
      removed = await writer.write(
        db => {
          const l = layout(spec);
          const sql = `SELECT _id FROM ${l.table} INDEXED BY ${quote(l.prefix + index)}
            WHERE ${quote(field)} ${SOMETHING} AND ${quote(field)} <= ? LIMIT ?`;
          const due = rows(statement(db, sql), clock.now(), batch);
          for (const r of due) deleteOne(db, l, r[0] as string, undefined);
          return due.length;
        },
        { atomic: true },
      );
    }
  }

  return {
    collection<T extends Doc>(spec: CollectionSpec<T>): Collection<T> {
      const checked = checkSpec(spec);
      keepSwept(checked);
      return sqliteCollection<T>(writer, checked, () => layout(checked));
    },
    async migrate(specs: readonly CollectionSpec<Doc>[]): Promise<void> {
      const all = specs.map(checkSpec);
      await writer.write(db => {
        for (const spec of all) migrateCollection(db, database, spec);
      });
      layouts.clear();
      for (const spec of all) keepSwept(spec);
    },
    now: async () => clock.now(),
    get connected(): boolean {
      return !closed && writer.healthy;
    },
    async close(): Promise<void> {
      closed = true;
      timer?.cancel();
    },
  };
}
