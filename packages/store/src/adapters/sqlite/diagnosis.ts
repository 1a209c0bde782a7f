import type { DatabaseSync } from 'node:sqlite';

/** Primary result code of SQLite, 0 when it is another error. */
export const codeOf = (error: unknown): number => ((error as { errcode?: number } | undefined)?.errcode ?? 0) & 0xff;

/** CORRUPT and NOTADB: what is in the file is not what was written. */
const DAMAGED = new Set([11, 26]);

/** Whether the error says that the file itself is damaged. */
export const isDamage = (error: unknown): boolean => DAMAGED.has(codeOf(error));

const RESTORE =
  'stop Parley, put all files of the data directory aside, check the disk, and restore the newest backup (parley restore)';

/** What to do about a file that is damaged. */
export const damaged = (path: string, what: string): string => `${path} is damaged (${what}): ${RESTORE}`;

/** What is wrong with a database file and what to do, for whoever runs the installation. */
export function diagnosis(path: string, error: unknown): string {
  const what = error instanceof Error ? error.message : String(error);
  switch (codeOf(error)) {
    case 8: // READONLY
      return `${path} cannot be written (${what}): check its owner and how the disk is mounted`;
    case 10: // IOERR
      return `the disk of ${path} fails (${what}): check the disk; writing goes on by itself when it works`;
    case 11: // CORRUPT
    case 26: // NOTADB
      return damaged(path, what);
    case 13: // FULL
      return `the disk of ${path} is full (${what}): free some space; writing goes on by itself`;
    case 14: // CANTOPEN
      return `${path} cannot be opened (${what}): check its owner and the directory's`;
    default:
      return `${path}: ${what}`;
  }
}

/** The first thing that is wrong with the structure of the file; undefined when nothing is. Reads all of it. */
export function firstDamage(db: DatabaseSync): string | undefined {
  const { quick_check: found } = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
  return found === 'ok' ? undefined : found.replaceAll('\n', ' ');
}
