import type { DatabaseSync, StatementSync } from 'node:sqlite';

/**
 * A record's row id is `slot * SLOT_SIZE + offset`, and every partition has its slot. Records of a partition thus lie
 * together in the order of their offsets, appends touch the last page only, and inner pages hold nothing but numbers
 * (a WITHOUT ROWID table keeps whole records in them: six to a page instead of hundreds).
 */
export const SLOT_SIZE = 2 ** 40;
/** Slots are 1 to this, so that a row id stays an exact number. */
export const MAX_SLOT = 2 ** 13 - 1;

const DDL = `
CREATE TABLE IF NOT EXISTS log_meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log_partitions (
  slot INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL, low INTEGER NOT NULL,
  UNIQUE (topic, partition)
) STRICT;
CREATE TABLE IF NOT EXISTS log_records (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, key TEXT NOT NULL, headers TEXT, value BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS log_positions (
  topic TEXT NOT NULL, grp TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
  PRIMARY KEY (topic, grp, partition)
) STRICT, WITHOUT ROWID;
`;

/** Version of these tables. */
const VERSION = 1;

/** Creates what is missing; a new log gets `newEpoch`. Returns the epoch. */
export function createSchema(db: DatabaseSync, newEpoch: number): number {
  db.exec(DDL);
  const put = db.prepare('INSERT INTO log_meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING');
  put.run('version', VERSION);
  put.run('epoch', newEpoch);
  const version = meta(db, 'version');
  if (version > VERSION) {
    throw new Error(`the event log has tables of version ${version}, this program knows versions up to ${VERSION}`);
  }
  return meta(db, 'epoch');
}

function meta(db: DatabaseSync, name: string): number {
  return Number(db.prepare('SELECT value FROM log_meta WHERE name = ?').get(name)?.['value']);
}

/** Statements of the log on one connection. */
export interface Statements {
  readonly partitions: StatementSync;
  readonly addPartition: StatementSync;
  readonly low: StatementSync;
  readonly setLow: StatementSync;
  readonly insert: StatementSync;
  readonly last: StatementSync;
  readonly first: StatementSync;
  readonly range: StatementSync;
  readonly remove: StatementSync;
  readonly setPosition: StatementSync;
  readonly positions: StatementSync;
}

const prepared = new WeakMap<DatabaseSync, Statements>();

/** The statements of a connection, prepared once. */
export function statements(db: DatabaseSync): Statements {
  let found = prepared.get(db);
  if (found === undefined) prepared.set(db, (found = prepareAll(db)));
  return found;
}

function prepareAll(db: DatabaseSync): Statements {
  return {
    partitions: db.prepare('SELECT slot, topic, partition, low FROM log_partitions ORDER BY topic, partition'),
    addPartition: db.prepare('INSERT INTO log_partitions (topic, partition, low) VALUES (?, ?, 0)'),
    low: db.prepare('SELECT low FROM log_partitions WHERE slot = ?'),
    setLow: db.prepare('UPDATE log_partitions SET low = ? WHERE slot = ?'),
    insert: db.prepare('INSERT INTO log_records (id, at, key, headers, value) VALUES (?, ?, ?, ?, ?)'),
    last: db.prepare('SELECT id FROM log_records WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1'),
    first: db.prepare('SELECT id FROM log_records WHERE id >= ? AND id < ? ORDER BY id LIMIT 1'),
    range: db.prepare(
      'SELECT id, at, key, headers, value FROM log_records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?',
    ),
    remove: db.prepare('DELETE FROM log_records WHERE id >= ? AND id < ?'),
    setPosition: db.prepare(
      'INSERT INTO log_positions (topic, grp, partition, next) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next',
    ),
    positions: db.prepare('SELECT partition, next FROM log_positions WHERE topic = ? AND grp = ? ORDER BY partition'),
  };
}
