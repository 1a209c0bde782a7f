import { execFile } from 'node:child_process';
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Check, failed, ok, warning } from './check.ts';

const TOLERANCE_MS = 5_000;

const NTP_REMEDY = 'Let the clock be set by the network: timedatectl set-ntp true';

/** The clock against the disk, against what was written before, and whether the network sets it. */
export async function checkClock(dataDir: string, nowMs: number): Promise<Check> {
  const name = 'clock';
  const behind = behindMs(dataDir, nowMs);
  if (behind > TOLERANCE_MS)
    return failed(
      name,
      `${Math.round(behind / 1000)} s behind the newest file in ${dataDir}: it was set back, or was wrong when that was written`,
      `${NTP_REMEDY}. New messages sort after old ones all the same.`,
    );
  const off = diskOffsetMs(dataDir, nowMs);
  if (off !== undefined && Math.abs(off) > TOLERANCE_MS)
    return failed(name, `the server of the disk is ${Math.round(off / 1000)} s away from this machine`, NTP_REMEDY);
  const set = await setByNetwork();
  if (set === false) return warning(name, 'agrees with the disk, but the network does not set it', NTP_REMEDY);
  return ok(
    name,
    `agrees with the disk${set ? ', and the network sets it' : '; whether the network sets it is not known here'}`,
  );
}

function behindMs(dir: string, nowMs: number): number {
  const times = readdirSync(dir).map(file => statSync(join(dir, file), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return Math.max(0, ...times) - nowMs;
}

/** How far a file written now is from now; a disk of another machine has a clock of its own. */
function diskOffsetMs(dir: string, nowMs: number): number | undefined {
  const file = join(dir, `.doctor-${process.pid}`);
  try {
    writeFileSync(file, '', { flag: 'wx', mode: 0o600 });
    return statSync(file).mtimeMs - nowMs;
  } catch {
    return undefined;
  } finally {
    rmSync(file, { force: true });
  }
}

/** What systemd says; undefined where there is none to ask. */
function setByNetwork(): Promise<boolean | undefined> {
  return new Promise(resolve => {
    execFile('timedatectl', ['show', '--property=NTPSynchronized', '--value'], { timeout: 3_000 }, (error, stdout) => {
      const answer = error ? '' : stdout.trim();
      resolve(answer === 'yes' ? true : answer === 'no' ? false : undefined);
    });
  });
}
