import type { CollectionSpec, Doc } from '@parley/store';
import type { ParleyConfig } from './config.ts';
import type { TargetName } from './routes.ts';
import { TARGETS } from './targets.ts';

/**
 * Version of everything stored: documents, events, archive records. Raised when an older server could not read what a
 * newer one writes; a new collection alone does not raise it.
 */
export interface Schema {
  /** Written once the store is finalised for it. */
  readonly writes: number;
  /** Oldest that is read. */
  readonly reads: number;
}

/** What this server writes and reads. */
export const SCHEMA: Schema = { writes: 1, reads: 1 };

/** What the store knows of itself: one document. */
export interface SchemaDoc extends Doc {
  readonly v: 1;
  /** The version that may be written: servers that do not know it are refused. */
  readonly finalised: number;
  /** Server that did so. */
  readonly finalisedBy: string;
  /** Newest version a migration was made for. */
  readonly migrated: number;
  readonly migratedBy: string;
  /** Everything migrations have made: `im/im_events`, `im/im_events.byKey`, `topic archive`. */
  readonly contents: readonly string[];
}

export const SCHEMAS: CollectionSpec<SchemaDoc> = { name: 'parley_schema', indexes: {} };
export const SCHEMA_ID = 'schema';

/** A store and a server that do not fit together; says what to do. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

/** A server: its version, and what it writes and reads. */
export interface Server extends Schema {
  readonly version: string;
}

/** What services of this server need in a store, as {@link SchemaDoc.contents} has it. */
export function contentsOf(targets: readonly TargetName[], config: ParleyConfig): readonly string[] {
  return targets.flatMap(name => {
    const { collections, topics } = TARGETS[name];
    return [
      ...collections.flatMap(c => [
        `${name}/${c.name}`,
        ...Object.keys(c.indexes).map(index => `${name}/${c.name}.${index}`),
      ]),
      ...topics(config).map(topic => `topic ${topic.name}`),
    ];
  });
}

/** Throws when a server must not work with a store. `needed`: what it needs there. */
export function checkStore(doc: SchemaDoc | undefined, server: Server, needed: readonly string[]): void {
  if (!doc)
    throw new SchemaError("the store is not migrated; run 'parley migrate' (or 'parley init' for a new installation)");
  checkVersions(doc, server);
  const present = new Set(doc.contents);
  const missing = needed.filter(what => !present.has(what));
  if (missing.length === 0) return;
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
  throw new SchemaError(
    `the store was last migrated by Parley ${doc.migratedBy} and lacks what Parley ${server.version} needs (${missing.slice(0, 3).join(', ')}${more}); run 'parley migrate'`,
  );
}

function checkVersions({ finalised, finalisedBy }: SchemaDoc, { version, writes, reads }: Server): void {
  if (finalised > writes)
    throw new SchemaError(
      `the store has format ${finalised}, finalised by Parley ${finalisedBy}; this is Parley ${version}, which knows formats up to ${writes}: run Parley ${finalisedBy} or newer`,
    );
  if (finalised < reads)
    throw new SchemaError(
      `the store has format ${finalised}, finalised by Parley ${finalisedBy}; this is Parley ${version}, which reads format ${reads} and newer: first run a version in between and 'parley migrate --finalise' with it`,
    );
}

/** The document after a migration by `server`. A new store begins with what the server writes. */
export function migrated(doc: SchemaDoc | undefined, server: Server, made: readonly string[]): SchemaDoc {
  if (!doc) {
    const { version, writes } = server;
    const all = { finalised: writes, finalisedBy: version, migrated: writes, migratedBy: version };
    return { _id: SCHEMA_ID, v: 1, ...all, contents: [...new Set(made)].sort() };
  }
  checkVersions(doc, server);
  const contents = [...new Set([...doc.contents, ...made])].sort();
  if (server.writes < doc.migrated) return { ...doc, contents };
  const changed = contents.length !== doc.contents.length || server.writes > doc.migrated;
  return { ...doc, migrated: server.writes, migratedBy: changed ? server.version : doc.migratedBy, contents };
}

/** The document after `--finalise`: from now on older servers are refused. */
export function finalised(doc: SchemaDoc, { version, writes }: Server): SchemaDoc {
  return doc.finalised === writes ? doc : { ...doc, finalised: writes, finalisedBy: version };
}
