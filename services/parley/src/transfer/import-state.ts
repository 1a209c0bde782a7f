import type { CollectionSpec, Doc, Store } from '@parley/store';

/** What is known of the one import of an installation. */
export interface ImportDoc extends Doc {
  readonly v: 1;
  /** SHA-256 of the manifest. */
  readonly manifest: string;
  readonly startedMs: number;
  readonly finishedMs?: number;
  /** Collections that are complete. */
  readonly complete: readonly string[];
}

const IMPORTS: CollectionSpec<ImportDoc> = { name: 'parley_imports', indexes: {} };
const ID = 'import';

/** Remembers in the installation itself how far an import is, so that one that was cut off goes on. */
export interface ImportState {
  find(): Promise<ImportDoc | undefined>;
  begin(manifest: string, now: number): Promise<ImportDoc>;
  complete(collection: string): Promise<void>;
  finish(now: number): Promise<void>;
}

/** Its place is the database of the composition root. */
export async function openImportState(own: Store): Promise<ImportState> {
  await own.migrate([IMPORTS as CollectionSpec<Doc>]);
  const imports = own.collection(IMPORTS);
  const change = async (how: (doc: ImportDoc) => ImportDoc): Promise<void> => {
    const doc = await imports.get(ID);
    if (!doc || !(await imports.replace(how(doc), doc._rev as number)).replaced)
      throw new Error('another import works on this installation; let it end');
  };
  return {
    find: () => imports.get(ID),
    async begin(manifest, now) {
      const doc: ImportDoc = { _id: ID, v: 1, manifest, startedMs: now, complete: [] };
      if (!(await imports.insert(doc)).inserted)
        throw new Error('another import works on this installation; let it end');
      return doc;
    },
    complete: name => change(doc => ({ ...doc, complete: [...doc.complete.filter(other => other !== name), name] })),
    finish: now => change(doc => ({ ...doc, finishedMs: now })),
  };
}
