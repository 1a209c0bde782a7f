/** What is built, and where it is kept. A change of version or recipe gives a new key, so a cache never has to be repaired. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The versions of everything this folder builds. `documentdb` is PostgreSQL's major version: the suite itself moves on. */
export const VERSIONS = {
  nats: '2.14.5',
  kafka: '4.3.1',
  ferretdb: '2.7.0',
  documentdb: '18',
  'ferretdb-server': '2.7.0',
  grpcurl: '1.9.3',
  k6: '1.8.1',
  connectconformance: '1.0.5',
  otelcol: '0.158.0',
} as const;

/** One thing that can be built. */
export type ArtefactName = keyof typeof VERSIONS;

/** All artefact names, in the order they are reported. */
export const ARTEFACTS = Object.keys(VERSIONS) as ArtefactName[];

const RECIPES = join(import.meta.dirname, '..', 'recipes');

/** The folder of a recipe's files (Go main, Maven project, shell scripts). */
export function recipeDir(name: ArtefactName): string {
  return join(RECIPES, name);
}

/** The cache of all builds and runs: outside the checkout, shared by every checkout of this user. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'parley', 'backends');
}

/** `nats-2.14.5`, or with recipe files `ferretdb-2.7.0-1f3c5a77`: equal inputs, equal key. */
export function artefactKey(name: ArtefactName): string {
  const base = `${name}-${VERSIONS[name]}`;
  const digest = digestFolder(recipeDir(name));
  return digest === undefined ? base : `${base}-${digest}`;
}

/** Where a finished artefact lives (it may not exist yet). */
export function artefactDir(name: ArtefactName): string {
  return join(cacheRoot(), artefactKey(name));
}

function digestFolder(dir: string): string | undefined {
  let names: string[];
  try {
    names = readdirSync(dir).sort();
  } catch {
    return undefined;
  }
  const hash = createHash('sha256');
  for (const name of names)
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(dir, name)))
      .update('\0');
  return hash.digest('hex').slice(0, 8);
}
