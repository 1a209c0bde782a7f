import { createHash, createPublicKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, type NewFolder, placeFile } from './folder.ts';
import type { ListedFile } from './manifest.ts';

/** Folder of a backup or an export that holds key files. */
export const KEYS = 'keys';
const FORM = /^[a-z0-9][a-z0-9-]*\.(pem|pub|key)$/;
const CHECKPOINT_PUBLIC = /^checkpoint[a-z0-9-]*\.pub$/;

/**
 * Copies key files: all of them, or only the public halves of the keys that signed the archive's checkpoints, without
 * which nobody could verify it elsewhere.
 */
export function copyKeys(folder: NewFolder, dir: string, all: boolean): readonly ListedFile[] {
  return filesBelow(dir)
    .filter(name => (all ? FORM : CHECKPOINT_PUBLIC).test(name))
    .map(name => folder.copy(join(KEYS, name), join(dir, name)));
}

/** A key file that is to be put somewhere. */
interface Placement {
  readonly source: string;
  readonly name: string;
}

/** What became of key files. */
export interface PlacedKeys {
  readonly placed: readonly string[];
  /** Public keys of checkpoints, under the names they have now. */
  readonly publicKeys: readonly string[];
}

/**
 * Puts key files where they are to be; a file that is there already must be the same. Without private keys, the
 * checkpoint key becomes one of an earlier time (`checkpoint-<hash>.pub`), beside the key that signs from now on.
 * Looks at everything before it writes anything.
 */
export function placeKeys(from: string, files: readonly ListedFile[], to: string, all: boolean): PlacedKeys {
  const found = files.filter(({ path }) => path.startsWith(`${KEYS}/`)).map(({ path }) => path.slice(KEYS.length + 1));
  const placements: Placement[] = found
    .filter(name => (all ? FORM : CHECKPOINT_PUBLIC).test(name))
    .map(name => {
      const source = join(from, KEYS, name);
      return { source, name: !all && name === 'checkpoint.pub' ? earlierName(source) : name };
    });
  const wanted = placements.filter(({ source, name }) => {
    const target = join(to, name);
    if (!existsSync(target)) return true;
    if (readFileSync(target).equals(readFileSync(source))) return false;
    throw new Error(
      `${target} is another key than the one to be put there: move the files of ${to} away, or leave the keys out with --no-keys`,
    );
  });
  for (const { source, name } of wanted) placeFile(source, join(to, name));
  return {
    placed: wanted.map(({ name }) => name),
    publicKeys: placements.map(({ name }) => name).filter(name => CHECKPOINT_PUBLIC.test(name)),
  };
}

function earlierName(publicPem: string): string {
  const der = createPublicKey(readFileSync(publicPem)).export({ type: 'spki', format: 'der' });
  return `checkpoint-${createHash('sha256').update(der).digest('hex').slice(0, 16)}.pub`;
}
