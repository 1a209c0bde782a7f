import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { linesOf } from './documents.ts';
import { filesBelow, type NewFolder, placeFile } from './folder.ts';
import type { ListedFile } from './manifest.ts';

/** Folder of a backup or an export that holds the second place of the archive's checkpoints. */
export const CHECKPOINTS = 'checkpoints';

/** Statements this much older than a snapshot have nothing to do with what went on while it was made, milliseconds. */
const MEANWHILE_MS = 60_000;

/**
 * Copies the second place of the checkpoints as it was at the time of the snapshot: statements made since about what the
 * snapshot does not hold are left out. Older ones are all kept, above all those that the database lacks. `reach` says
 * how far the chains of the snapshot go.
 */
export function copyCheckpoints(
  folder: NewFolder,
  dir: string,
  snapshotMs: number,
  reach: ReadonlyMap<string, number>,
): readonly ListedFile[] {
  const belongs = (line: string): boolean => {
    const statement = statementOf(line);
    if (statement === undefined || statement.atMs < snapshotMs - MEANWHILE_MS) return true;
    const next = reach.get(statement.chain);
    return next === undefined ? statement.atMs <= snapshotMs : statement.next <= next;
  };
  return filesBelow(dir).map(name => {
    const file = folder.begin(join(CHECKPOINTS, name));
    for (const line of linesOf(join(dir, name))) {
      const text = line.toString('utf8');
      if (belongs(text)) file.write(`${text}\n`);
    }
    return file.end();
  });
}

interface Statement {
  readonly chain: string;
  readonly next: number;
  readonly atMs: number;
}

/** A line that was being written is none, and is kept: who reads the file knows about such lines. */
function statementOf(line: string): Statement | undefined {
  try {
    const { epoch, topic, partition, next, atMs } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (typeof next !== 'number' || typeof atMs !== 'number') return undefined;
    const chain = `${String(epoch).padStart(16, '0')}/${String(topic)}/${String(partition).padStart(4, '0')}`;
    return { chain, next, atMs };
  } catch {
    return undefined;
  }
}

/** What became of the files of a second place. */
export interface PlacedCheckpoints {
  readonly placed: number;
  /** Files that were there and were left as they are. */
  readonly kept: readonly string[];
}

/**
 * Puts the files of a second place where it is to be. A file that is there stays untouched: it is the witness that
 * nobody, a restore included, may change.
 */
export function placeCheckpoints(from: string, files: readonly ListedFile[], to: string): PlacedCheckpoints {
  const kept: string[] = [];
  let placed = 0;
  for (const { path } of files) {
    if (!path.startsWith(`${CHECKPOINTS}/`)) continue;
    const name = path.slice(CHECKPOINTS.length + 1);
    const target = join(to, name);
    if (existsSync(target)) kept.push(name);
    else {
      placeFile(join(from, path), target);
      placed++;
    }
  }
  return { placed, kept };
}
