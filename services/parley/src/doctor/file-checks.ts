import { createPrivateKey, createPublicKey } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ParleyConfig } from '../config.ts';
import { explain } from '../explain.ts';
import { checkpointDir } from '../key-material.ts';
import { parseKeyName } from '../key-names.ts';
import { type Check, failed, ok, warning } from './check.ts';

const GIB = 1024 ** 3;
const LEAST_BYTES = GIB / 10;
const FEW_BYTES = GIB;

/** The data directory: there, ours, closed to others, with room on its disk. */
export function checkDataDirectory(config: ParleyConfig): readonly Check[] {
  const { dataDir } = config;
  const name = 'data directory';
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const absent = (error as { code?: string }).code === 'ENOENT';
    return [
      absent
        ? failed(name, `${dataDir} is not there`, "Name another --data-dir, or run 'parley init'.")
        : failed(name, explain(error), 'Run the command as the user that Parley runs as, or give him the directory.'),
    ];
  }
  const others = (statSync(dataDir).mode & 0o007) !== 0;
  return [
    others
      ? warning(name, `${dataDir} can be entered by every user`, `Close it: chmod 700 ${dataDir}`)
      : ok(name, dataDir),
    checkDisk('disk', dataDir),
    ...checkSecondPlace(config),
  ];
}

function checkDisk(name: string, dir: string): Check {
  const { bavail, bsize } = statfsSync(dir);
  const free = bavail * bsize;
  const text = `${sizeOf(free)} free where ${dir} lies`;
  const remedy = 'Free some room, or move the directory to a larger disk: when it is full, nothing more is accepted.';
  if (free < LEAST_BYTES) return failed(name, text, remedy);
  return free < FEW_BYTES ? warning(name, text, remedy) : ok(name, text);
}

/** The second copy of checkpoints is worth something only where the first is not. */
function checkSecondPlace(config: ParleyConfig): readonly Check[] {
  if (!config.targets.includes('archiving')) return [];
  const name = 'checkpoints';
  const dir = checkpointDir(config);
  if (!existsSync(dir)) return [ok(name, `the second copy will be in ${dir}`)];
  try {
    accessSync(dir, constants.W_OK);
  } catch (error) {
    return [failed(name, explain(error), 'Let the user that Parley runs as write there.')];
  }
  if (statSync(dir).dev !== statSync(config.dataDir).dev) return [ok(name, `the second copy is in ${dir}`)];
  return [
    warning(
      name,
      `the second copy, in ${dir}, lies on the disk of the database`,
      'Whoever changes the one can change the other: let checkpointCopyDir be on another disk or machine.',
    ),
  ];
}

/** Key files: there, readable by nobody else, and each pair belonging together. */
export function checkKeys(dir: string, needed: readonly string[]): Check {
  const name = 'keys';
  try {
    const files = readdirSync(dir);
    const families = new Set(files.filter(file => file.endsWith('.pem')).map(familyOf));
    const missing = needed.filter(file => !files.includes(file) && !families.has(familyOf(file)));
    if (missing.length > 0)
      return failed(
        name,
        `${missing.join(', ')} missing in ${dir}`,
        "Bring back the backup of the keys, or run 'parley init' for new ones.",
      );
    const secret = files.filter(file => /\.(pem|key)$/.test(file)).map(file => join(dir, file));
    const open = [dir, ...secret].filter(path => (statSync(path).mode & 0o077) !== 0);
    if (open.length > 0)
      return failed(name, `${open.join(', ')} can be read by other users`, `Close them: chmod go= ${open.join(' ')}`);
    const strange = files.filter(file => file.endsWith('.pem') && !fits(dir, file));
    if (strange.length > 0)
      return failed(
        name,
        `${strange.join(', ')} and the .pub beside it do not belong together`,
        'Bring back the backup of the keys.',
      );
    return ok(name, `${secret.length} in ${dir}, readable by their owner only`);
  } catch (error) {
    return failed(
      name,
      explain(error),
      `Check ${dir}: 'parley init' makes it, and only the user that Parley runs as may read it.`,
    );
  }
}

/** Successors of a key are as good as the key. */
const familyOf = (file: string) => parseKeyName(file.replace(/\.pem$/, ''))?.family ?? file;

function fits(dir: string, pem: string): boolean {
  const pub = join(dir, pem.replace(/\.pem$/, '.pub'));
  if (!existsSync(pub)) return true;
  const spki = (key: ReturnType<typeof createPublicKey>) => key.export({ type: 'spki', format: 'pem' });
  try {
    const own = createPublicKey(createPrivateKey(readFileSync(join(dir, pem))));
    return spki(own) === spki(createPublicKey(readFileSync(pub)));
  } catch {
    return false;
  }
}

const DAY_MS = 24 * 3600 * 1000;
const OLD_DAYS = 7;

/** When this installation was last backed up. */
export function checkBackup(dataDir: string, nowMs: number): Check {
  const name = 'backup';
  const made = statSync(join(dataDir, 'last-backup.json'), { throwIfNoEntry: false })?.mtimeMs;
  const remedy = 'Make one now, and every night: parley backup --to DIRECTORY';
  if (made === undefined) return warning(name, 'there was none yet', remedy);
  const days = Math.floor((nowMs - made) / DAY_MS);
  const text = `the last one was made ${days <= 0 ? 'today' : days === 1 ? 'yesterday' : `${days} days ago`}`;
  return days > OLD_DAYS ? warning(name, text, remedy) : ok(name, text);
}

function sizeOf(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${Math.round(bytes / 1024 ** 2)} MiB`;
}
