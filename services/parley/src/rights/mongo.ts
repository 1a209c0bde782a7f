import type { ParleyConfig } from '../config.ts';
import { TARGET_NAMES, type TargetName } from '../routes.ts';
import { SCHEMAS } from '../schema.ts';
import { TARGETS } from '../targets.ts';
import { databaseName } from '../topology.ts';

/** Who has a user at the database: a service; `admin` for commands such as `migrate`; `import` for `parley import`. */
export type MongoHolder = TargetName | 'admin' | 'import';

/** What somebody may do with a collection; an empty name stands for every collection of the database. */
export interface MongoPrivilege {
  readonly database: string;
  readonly collection: string;
  readonly actions: readonly string[];
}

/** Name of a user and of his role. */
export const mongoUserName = (holder: MongoHolder): string => `parley_${holder.replaceAll('-', '_')}`;

const READS = ['find', 'listIndexes'];
const WRITES = [...READS, 'insert', 'update', 'remove'];
const BUILDS = ['createCollection', 'createIndex', 'listIndexes'];

/** Where `migrate` keeps its lease and what it has made. */
const OWN = 'parley';

/**
 * What the driver's calls need, and nothing else. A service writes its own collections and reads which format they have.
 * Commands build all of them and work on people; into the archive they do not write: only archiving does, and `import`
 * while an installation is being filled.
 */
export function mongoPrivileges(holder: MongoHolder, config: ParleyConfig): readonly MongoPrivilege[] {
  const all = (service: string, actions: readonly string[]): MongoPrivilege => ({
    database: databaseName(config, service),
    collection: '',
    actions: [...new Set(actions)].sort(),
  });
  if (holder === 'import') return [...storing(), OWN].map(service => all(service, [...WRITES, ...BUILDS]));
  if (holder === 'admin')
    return [
      all(OWN, [...WRITES, ...BUILDS]),
      ...storing().map(service =>
        all(service, service === 'directory' ? [...WRITES, ...BUILDS] : [...READS, ...BUILDS]),
      ),
    ];
  const database = databaseName(config, holder);
  return [
    ...TARGETS[holder].collections.map(({ name }) => ({ database, collection: name, actions: [...WRITES].sort() })),
    { database: databaseName(config, OWN), collection: SCHEMAS.name, actions: READS },
  ];
}

const storing = (): TargetName[] => TARGET_NAMES.filter(name => TARGETS[name].collections.length > 0);

/** Everybody who gets a user, unless an installation is to be filled. */
export const MONGO_HOLDERS: readonly MongoHolder[] = [...TARGET_NAMES, 'admin'];

/** A script for mongosh that makes roles and users, or brings them up to date. Holds no secret. */
export function mongoScript(holders: readonly MongoHolder[], config: ParleyConfig): string {
  const roles = holders.map(holder => ({
    role: mongoUserName(holder),
    privileges: mongoPrivileges(holder, config).map(({ database, collection, actions }) => ({
      resource: { db: database, collection },
      actions,
    })),
  }));
  return `// Made by 'parley print-mongo-roles': a role and a user for each service of Parley, allowed what it needs.
// Run it as a user administrator, and again after every upgrade of Parley:
//   mongosh 'mongodb://root@HOST/admin' roles.js
// A new user's password comes from the variable with his name in capitals, for example PARLEY_IM, or is asked for.
const admin = db.getSiblingDB('admin');
const roles = ${JSON.stringify(roles, null, 2)};
for (const { role, privileges } of roles) {
  if (admin.getRole(role)) admin.updateRole(role, { privileges, roles: [] });
  else admin.createRole({ role, privileges, roles: [] });
  if (admin.getUser(role)) admin.updateUser(role, { roles: [role] });
  else admin.createUser({ user: role, pwd: process.env[role.toUpperCase()] ?? passwordPrompt(), roles: [role] });
  print(role + ' is ready');
}
`;
}
