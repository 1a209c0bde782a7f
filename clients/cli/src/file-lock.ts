import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Who holds a lock file. */
interface Holder {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
}

/** A held lock that is not touched for this long was left behind by a process that is gone or frozen. */
const STALE_MS = 30_000;
const TOUCH_EVERY_MS = 5_000;
const LOOK_EVERY_MS = 25;

/** Takes the lock file if nobody who lives holds it; returns the function that gives it back. */
export function tryLock(path: string): (() => void) | undefined {
  const mine: Holder = { token: randomBytes(12).toString('hex'), pid: process.pid, host: hostname() };
  if (!create(path, mine)) {
    removeStale(path);
    if (!create(path, mine)) return undefined;
  }
  const touching = setInterval(() => {
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      clearInterval(touching); // removed by hand
    }
  }, TOUCH_EVERY_MS);
  touching.unref();
  return () => {
    clearInterval(touching);
    if (read(path)?.token === mine.token) remove(path);
  };
}

/**
 * Runs `work` while no other process runs under the same lock file. Waits up to `patienceMs` for the other one, then
 * rejects.
 */
export async function withFileLock<T>(path: string, patienceMs: number, work: () => Promise<T>): Promise<T> {
  const giveUp = performance.now() + patienceMs;
  for (;;) {
    const release = tryLock(path);
    if (release) {
      try {
        return await work();
      } finally {
        release();
      }
    }
    if (performance.now() > giveUp) throw new Error(`another parleyctl holds ${path} for too long`);
    await sleep(LOOK_EVERY_MS);
  }
}

function create(path: string, holder: Holder): boolean {
  try {
    writeFileSync(path, JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a lock whose holder is gone. Renamed first, so that of several who see it only one removes it. */
function removeStale(path: string): void {
  const seen = read(path);
  if (!isStale(path, seen)) return;
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // somebody else was quicker
  }
  const taken = read(aside);
  remove(aside);
  // between looking and renaming somebody made a new one: give it back
  if (taken && taken.token !== seen?.token) create(path, taken);
}

function isStale(path: string, holder: Holder | undefined): boolean {
  try {
    if (Date.now() - statSync(path).mtimeMs > STALE_MS) return true;
  } catch {
    return false; // gone
  }
  return holder !== undefined && holder.host === hostname() && !lives(holder.pid);
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function read(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return undefined; // not there, or being written at this moment
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // somebody removed it
  }
}
