import { planCount, planScan } from '../../query.ts';
import type { CheckedSpec } from '../../spec.ts';
import type { SqliteWriter } from '../../sqlite-writer.ts';
import type { Collection, Doc, InsertResult, Page, ReplaceResult, ScanQuery } from '../../store.ts';
import { checkDocument, checkId, checkMany, checkRevision, storeLimits } from '../../validate.ts';
import { decodeRow } from './codec.ts';
import type { Layout } from './layout.ts';
import { countOrdered, scanOrdered, scanTokens } from './scan.ts';
import { row, statement } from './statements.ts';
import { deleteOne, insertPrepared, type Prepared, prepare, replacePrepared } from './writes.ts';

/** Ops that decide before they change anything need no savepoint. */
const ATOMIC = { atomic: true };

/** One collection. `layout` reads the tables' shape, once. */
export function sqliteCollection<T extends Doc>(
  writer: SqliteWriter,
  spec: CheckedSpec,
  layout: () => Layout,
): Collection<T> {
  const { db } = writer;
  const ready = (doc: T): Prepared => prepare(layout(), doc, checkDocument(spec, doc).nestedBytes);
  const read = (id: string): T | undefined => {
    checkId(id);
    const found = row(statement(db, layout().get), id);
    return found && (decodeRow(found, layout().columns) as T);
  };
  /** What a read found is handed out once it is durable, so that nobody acknowledges what a power cut takes back. */
  const shown = <R>(work: () => R): R | Promise<R> => {
    let result: R;
    try {
      result = work();
    } catch (cause) {
      throw writer.readFailed(cause);
    }
    return writer.durable()?.then(() => result) ?? result;
  };
  return {
    async get(id: string): Promise<T | undefined> {
      return shown(() => read(id));
    },
    async getMany(ids: readonly string[]): Promise<readonly T[]> {
      checkMany(spec, ids, storeLimits.getMany);
      return shown(() => [...new Set(ids)].map(read).filter(doc => doc !== undefined));
    },
    async insert(doc: T): Promise<InsertResult> {
      const p = ready(doc);
      return writer.write(d => insertPrepared(d, layout(), p), ATOMIC);
    },
    async insertMany(docs: readonly T[]): Promise<readonly InsertResult[]> {
      checkMany(spec, docs, storeLimits.writeMany);
      const all = docs.map(ready);
      return writer.write(d => all.map(p => insertPrepared(d, layout(), p)), ATOMIC);
    },
    async replace(doc: T, expectedRevision: number): Promise<ReplaceResult> {
      checkRevision(spec, expectedRevision);
      const p = ready(doc);
      return writer.write(d => replacePrepared(d, layout(), p, expectedRevision), ATOMIC);
    },
    async delete(id: string, expectedRevision?: number): Promise<boolean> {
      checkId(id);
      if (expectedRevision !== undefined) checkRevision(spec, expectedRevision);
      return writer.write(d => deleteOne(d, layout(), id, expectedRevision), ATOMIC);
    },
    async deleteMany(ids: readonly string[]): Promise<number> {
      checkMany(spec, ids, storeLimits.writeMany);
      ids.forEach(checkId);
      return writer.write(d => ids.reduce((n, id) => n + (deleteOne(d, layout(), id, undefined) ? 1 : 0), 0), ATOMIC);
    },
    async scan(index: string, query: ScanQuery): Promise<Page<T>> {
      const plan = planScan(spec, index, query);
      return shown(() => ('scope' in plan ? scanTokens<T>(db, layout(), plan) : scanOrdered<T>(db, layout(), plan)));
    },
    async count(index: string, query: Pick<ScanQuery, 'equals' | 'range'>, cap: number): Promise<number> {
      const plan = planCount(spec, index, query, cap);
      return shown(() => countOrdered(db, layout(), plan));
    },
  };
}
