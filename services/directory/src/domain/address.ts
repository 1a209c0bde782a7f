export const maxAddressBytes = 320;
const maxLocalBytes = 64;

export type AddressResult =
  | { readonly ok: true; readonly address: string; readonly domain: string }
  | { readonly ok: false; readonly problem: 'missing' | 'too_long' | 'malformed' };

// Letters, marks and digits of any script and the atext of RFC 5322; dots between them only.
const local = /^[\p{L}\p{M}\p{N}!#$%&'*+\-/=?^_`{|}~]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+\-/=?^_`{|}~]+)*$/u;
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** One spelling for every way to write the same address: NFKC, lower case, domain in ASCII (RFC 5890). */
export function normaliseAddress(input: string): AddressResult {
  const text = input.trim();
  if (text === '') return { ok: false, problem: 'missing' };
  if (text.length > maxAddressBytes || bytes(text) > maxAddressBytes) return { ok: false, problem: 'too_long' };
  const folded = fold(text);
  const at = folded.lastIndexOf('@');
  const user = folded.slice(0, at);
  if (at < 1 || user.includes('@') || !local.test(user)) return { ok: false, problem: 'malformed' };
  const domain = normaliseDomain(folded.slice(at + 1));
  if (domain === undefined) return { ok: false, problem: 'malformed' };
  const address = `${user}@${domain}`;
  if (bytes(user) > maxLocalBytes || bytes(address) > maxAddressBytes) return { ok: false, problem: 'too_long' };
  return { ok: true, address, domain };
}

/** A domain name in lower-case ASCII; undefined for what is none (also for IP addresses). */
export function normaliseDomain(input: string): string | undefined {
  const text = fold(input.trim());
  if (!/^[\p{L}\p{M}\p{N}.-]+$/u.test(text)) return undefined;
  let host: string;
  try {
    host = new URL(`http://${text}/`).hostname;
  } catch {
    return undefined;
  }
  const labels = host.split('.');
  if (host.length > 253 || /^[\d.]+$/.test(host) || !labels.every(part => label.test(part))) return undefined;
  return host;
}

/** Lower-casing can undo NFKC for a few letters, so it is done again. */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().normalize('NFKC');
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
