import { open, realpath } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';

/** Bytes of a file, or why there are none. */
export type PhotoRead =
  | Uint8Array
  | 'people_file.photo_path'
  | 'people_file.photo_missing'
  | 'people_file.photo_too_large';

/** Where pictures that a file names are read. */
export interface PhotoFiles {
  /** Reads at most `limit` bytes of the file at `path`, which passed `isInnerPath`. */
  read(path: string, limit: number): Promise<PhotoRead>;
}

/** Whether a path leads to a file beside or below, by its words: not absolute, never upwards, at most 1,024 characters. */
export function isInnerPath(path: string): boolean {
  if (path === '' || path.length > 1_024 || isAbsolute(path) || /^[A-Za-z]:|^~|[\\\0]/.test(path)) return false;
  return path.split('/').every(part => part !== '..' && part !== '');
}

/** Reads pictures below `directory`; symbolic links may not lead out of it. */
export function filesBelow(directory: string): PhotoFiles {
  let root: Promise<string> | undefined;
  return {
    async read(path, limit) {
      root ??= realpath(directory);
      try {
        const inside = await realpath(join(await root, path));
        if (!inside.startsWith(`${await root}${sep}`.replace(/\/+$/, '/'))) return 'people_file.photo_path';
        const file = await open(inside, 'r');
        try {
          const { size } = await file.stat().then(stat => (stat.isFile() ? stat : { size: -1 }));
          if (size < 0) return 'people_file.photo_missing';
          return size > limit ? 'people_file.photo_too_large' : new Uint8Array(await file.readFile());
        } finally {
          await file.close();
        }
      } catch {
        return 'people_file.photo_missing';
      }
    },
  };
}

/** Kind of a picture by its first bytes; undefined for any other file. */
export function photoType(bytes: Uint8Array): 'image/png' | 'image/jpeg' | 'image/webp' | undefined {
  const starts = (text: string, at = 0) => [...text].every((c, i) => bytes[at + i] === c.charCodeAt(0));
  if (starts('\u0089PNG\r\n\u001a\n')) return 'image/png';
  if (starts('\u00ff\u00d8\u00ff')) return 'image/jpeg';
  return starts('RIFF') && starts('WEBP', 8) ? 'image/webp' : undefined;
}
