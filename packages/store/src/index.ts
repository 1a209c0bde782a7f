export { connectMongoBulkReader, type MongoBulkReaderOptions } from './adapters/mongo/bulk-read.ts';
export { connectMongoStore, type MongoStoreOptions } from './adapters/mongo/store.ts';
export {
  openSqliteBulkReader,
  type SqliteBulkReaderOptions,
  sqliteBulkReader,
} from './adapters/sqlite/bulk-read.ts';
export {
  openSqliteSnapshot,
  type SqliteSnapshot,
  type SqliteSnapshotOptions,
} from './adapters/sqlite/snapshot.ts';
export { createSqliteStore, type SqliteStoreOptions } from './adapters/sqlite/store.ts';
export { type GroupCommitWriter, openSqliteWriter, type SqliteWriterOptions } from './adapters/sqlite/writer.ts';
export type { BulkReader } from './bulk-read.ts';
export { StoreError, type StoreErrorCode } from './errors.ts';
export type * from './sqlite-writer.ts';
export * from './store.ts';
export { storeLimits } from './validate.ts';
