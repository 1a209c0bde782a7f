import { closeSync, existsSync, fsyncSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import type { Ids } from '@parley/runtime';

/** No letters and digits that look alike: 31 signs, 20 of them are 99 bits. */
const SIGNS = 'abcdefghjkmnpqrstuvwxyz23456789';
const FORM = new RegExp(`^([${SIGNS}]{5}-){3}[${SIGNS}]{5}$`);

/**
 * A password to be changed at the first sign-in. With a file, it is there (mode 0600, synced) before anybody can have
 * it as his password: a run that was cut short finds it there again.
 */
export function newOneTimePassword(ids: Ids, file?: string): string {
  if (file !== undefined && existsSync(file)) return leftBehind(file);
  const groups = Array.from({ length: 4 }, () => Array.from({ length: 5 }, () => sign(ids)).join(''));
  const password = groups.join('-');
  if (file === undefined) return password;
  const handle = openSync(file, 'wx', 0o600);
  writeSync(handle, `${password}\n`);
  fsyncSync(handle);
  closeSync(handle);
  return password;
}

/** Takes a file away again whose password became nobody's. */
export function forgetOneTimePassword(file?: string): void {
  if (file !== undefined) rmSync(file, { force: true });
}

function leftBehind(file: string): string {
  const text = readFileSync(file, 'utf8').trim();
  if ((statSync(file).mode & 0o077) === 0 && FORM.test(text)) return text;
  throw new Error(`${file} is there and holds something else; name another --password-file`);
}

/** Every sign with the same probability: bytes past the last whole round are thrown away. */
function sign(ids: Ids): string {
  const most = 256 - (256 % SIGNS.length);
  for (;;) {
    const byte = ids.bytes(1)[0] as number;
    if (byte < most) return SIGNS[byte % SIGNS.length] as string;
  }
}
