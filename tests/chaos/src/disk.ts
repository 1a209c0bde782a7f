import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A small disk of its own, which can be filled. */
export interface Disk {
  readonly dir: string;
  /** Takes all the room there is. */
  fill(): void;
  /** Gives it back. */
  free(): void;
  remove(): void;
}

/** Whether disks can be mounted here. */
export const canMount = (): boolean => process.platform === 'linux' && process.getuid?.() === 0;

/** There cannot be small disks here. */
export class CannotMountError extends Error {
  constructor(options?: ErrorOptions) {
    super('a small disk must be mounted in memory: this needs Linux, and root who may mount', options);
  }
}

/** Mounts one in memory. Throws a {@link CannotMountError}. */
export function mountDisk(megabytes: number): Disk {
  if (!canMount()) throw new CannotMountError();
  const dir = mkdtempSync(join(tmpdir(), 'parley-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'parley-test', dir], { stdio: 'pipe' });
  } catch (cause) {
    rmSync(dir, { recursive: true, force: true });
    throw new CannotMountError({ cause });
  }
  const ballast = join(dir, 'ballast');
  let mounted = true;
  const remove = () => {
    if (!mounted) return;
    mounted = false;
    process.off('exit', remove);
    execFileSync('umount', ['--lazy', dir]);
    rmSync(dir, { recursive: true, force: true });
  };
  process.on('exit', remove);
  return { dir, fill: () => fill(ballast), free: () => rmSync(ballast, { force: true }), remove };
}

function fill(path: string): void {
  const fd = openSync(path, 'a');
  for (const size of [1 << 20, 1 << 12]) {
    const chunk = new Uint8Array(size);
    try {
      for (;;) writeSync(fd, chunk);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC') throw error;
    }
  }
  closeSync(fd);
}
