/** Faults inside one process of the product: a wrong wall clock, syncs that fail. See recipes/faults/faults.c. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureTools, run, stderrLog } from './tools.ts';
import { cacheRoot } from './versions.ts';

/** What goes wrong in one process; take effect at once and end at once. */
export interface ProcessFaults {
  /** Variables to start the process with. */
  readonly env: Readonly<Record<string, string>>;
  /** Sets the wall clock so many milliseconds ahead (negative: behind). The monotonic clock stays true. */
  clockAhead(ms: number): void;
  /** From now on fsync and fdatasync of database files fail with EIO, or work again. */
  failSync(fails: boolean): void;
  /** Length of the SQLite write-ahead log at its last successful sync: what a power cut would leave of it, bytes. */
  syncedBytes(): number;
  /** Whether the log began anew since {@link forget}, so that its length says nothing of its content. */
  beganAnew(): boolean;
  /** Forgets length and beginning, for the next start of the process. */
  forget(): void;
  close(): void;
}

const BYTES = 64;

/** Compiles the library when it is missing (gcc, installed where this is root) and returns its path. */
export async function faultLibrary(log = stderrLog): Promise<string> {
  const source = join(import.meta.dirname, '..', 'recipes', 'faults', 'faults.c');
  const key = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 8);
  const dir = join(cacheRoot(), 'faults');
  const library = join(dir, `faults-${key}.so`);
  if (existsSync(library)) return library;
  await mkdir(dir, { recursive: true });
  const logFile = join(dir, 'build.log');
  await ensureTools(['gcc'], log, logFile);
  const mine = `${library}.${process.pid}`;
  await run(['gcc', '-shared', '-fPIC', '-O2', '-Wall', '-o', mine, source], { logFile });
  renameSync(mine, library);
  return library;
}

/** Makes the control file of one process; nothing is wrong at first. */
export function openProcessFaults(library: string, file: string): ProcessFaults {
  writeFileSync(file, new Uint8Array(BYTES));
  const fd = openSync(file, 'r+');
  const word = Buffer.alloc(8);
  const set = (at: number, value: number) => {
    word.writeBigInt64LE(BigInt(value));
    writeSync(fd, word, 0, 8, at);
  };
  const get = (at: number) => {
    readSync(fd, word, 0, 8, at);
    return Number(word.readBigInt64LE());
  };
  return {
    env: { LD_PRELOAD: library, PARLEY_TEST_FAULTS: file },
    clockAhead: ms => set(0, ms),
    failSync: fails => set(8, fails ? 1 : 0),
    syncedBytes: () => get(16),
    beganAnew: () => get(24) !== 0,
    forget() {
      set(16, 0);
      set(24, 0);
    },
    close: () => closeSync(fd),
  };
}
