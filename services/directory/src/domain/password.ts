/** Parameters of argon2id (RFC 9106). */
export interface HashCost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** A stored hash taken apart. */
export interface PasswordHash {
  readonly cost: HashCost;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

const form = /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** The PHC string format: https://github.com/P-H-C/phc-string-format */
export function formatHash({ cost, salt, hash }: PasswordHash): string {
  return `$argon2id$v=19$m=${cost.memoryKiB},t=${cost.passes},p=${cost.parallelism}$${base64(salt)}$${base64(hash)}`;
}

export function parseHash(text: string): PasswordHash | undefined {
  const match = form.exec(text);
  if (!match) return undefined;
  const [, m, t, p, salt, hash] = match;
  return {
    cost: { memoryKiB: Number(m), passes: Number(t), parallelism: Number(p) },
    salt: Buffer.from(salt as string, 'base64'),
    hash: Buffer.from(hash as string, 'base64'),
  };
}

export function sameCost(a: HashCost, b: HashCost): boolean {
  return a.memoryKiB === b.memoryKiB && a.passes === b.passes && a.parallelism === b.parallelism;
}

export const minPasswordBytes = 12;
export const maxPasswordBytes = 256;

/** The same text whatever keyboard it came from (RFC 8265, OpaqueString). */
export function normalisePassword(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC');
}

/** Whether somebody who knows the person would try it first. */
export function isWeakPassword(password: string, person: { readonly names: readonly string[] }): boolean {
  const folded = password.normalize('NFKC').toLowerCase();
  if (new Set(folded).size < 5) return true;
  const bare = folded.replace(/[^\p{L}\p{M}\p{N}]/gu, '');
  return person.names.some(name => {
    const own = name
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}]/gu, '');
    // Digits and signs around one's own name, or the name repeated, make no password.
    return own.length > 2 && bare.replaceAll(own, '').replace(/\d/gu, '').length < 3;
  });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
