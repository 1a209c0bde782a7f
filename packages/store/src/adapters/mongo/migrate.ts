import { type Db, MongoServerError } from 'mongodb';
import { StoreError } from '../../errors.ts';
import type { CheckedSpec, OrderedIndex, TokensIndex } from '../../spec.ts';
import { hintOf } from './collection.ts';
import { indexKeys } from './filter.ts';

interface ServerIndex {
  readonly name: string;
  readonly key: Readonly<Record<string, number>>;
  readonly unique?: boolean;
  readonly partialFilterExpression?: object;
}

/** Creates the collection and the indexes that are missing. */
export async function migrateCollection(db: Db, spec: CheckedSpec): Promise<void> {
  try {
    await db.createCollection(spec.name);
  } catch (error) {
    if (!(error instanceof MongoServerError && error.code === 48)) throw error;
  }
  const present = await serverIndexes(db, spec);
  for (const index of spec.indexes.values()) {
    const there = present.get(hintOf(index));
    if (there) checkSame(spec, index, there);
    else await db.collection(spec.name).createIndex(indexKeys(index), indexOptions(index));
  }
}

/** Throws `store.not_migrated` when something is missing. */
export async function checkMigrated(db: Db, spec: CheckedSpec): Promise<void> {
  const present = await serverIndexes(db, spec);
  for (const name of present.size === 0 ? [spec.name] : [...spec.indexes.values()].map(hintOf))
    if (!present.has(name))
      throw new StoreError('store.not_migrated', `${name} of ${spec.name} is missing: the store was not migrated`);
}

async function serverIndexes(db: Db, spec: CheckedSpec): Promise<Map<string, ServerIndex>> {
  try {
    const list = (await db.collection(spec.name).listIndexes().toArray()) as ServerIndex[];
    return new Map(list.map(i => [i.name, i]));
  } catch (error) {
    if (error instanceof MongoServerError && error.code === 26) return new Map();
    throw error;
  }
}

function indexOptions(index: OrderedIndex | TokensIndex) {
  if (index.kind === 'tokens') return { name: index.name };
  return {
    name: index.name,
    ...(index.unique ? { unique: true } : {}),
    ...(index.sparse ? { partialFilterExpression: { [index.fields[0] as string]: { $exists: true } } } : {}),
  };
}

/** An index of the same name that is another index would answer wrongly. */
function checkSame(spec: CheckedSpec, index: OrderedIndex | TokensIndex, there: ServerIndex): void {
  const options = indexOptions(index);
  const same =
    JSON.stringify(Object.entries(indexKeys(index))) ===
      JSON.stringify(Object.entries(there.key).map(([f, d]) => [f, Number(d)])) &&
    'unique' in options === (there.unique === true) &&
    'partialFilterExpression' in options === (there.partialFilterExpression !== undefined);
  if (!same && there.name !== '_id_')
    throw new StoreError(
      'store.bad_spec',
      `${spec.name}: index ${index.name} was declared otherwise before; give it a new name`,
    );
}
