export { connectMongoStore, type MongoStoreOptions } from './adapters/mongo/store.ts';
export { createSqliteStore, type SqliteStoreOptions } from './adapters/sqlite/store.ts';
export { type GroupCommitWriter, openSqliteWriter, type SqliteWriterOptions } from './adapters/sqlite/writer.ts';
export { StoreError, type StoreErrorCode } from './errors.ts';
export type * from './sqlite-writer.ts';
export * from './store.ts';
export { storeLimits } from './validate.ts';
