/** Settings that are secret as a whole; where `…File` names a file of theirs, the name is not. */
const SECRET = /^(authorization|password|token|secret|apiKey)$/i;

/** A copy of a configuration in which no secret is, and no connection string shows a password or a token. */
export function hideSecrets(value: unknown): unknown {
  if (typeof value === 'string') return hideInUrl(value);
  if (Array.isArray(value)) return value.map(hideSecrets);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([k, v]) => [k, SECRET.test(k) && v !== '' ? '***' : hideSecrets(v)]),
    );
  return value;
}

/** `scheme://user:password@host`: the password may hold an @; without a colon it is a token. */
function hideInUrl(text: string): string {
  return text.replace(/(\w:\/\/)(\S*)@/g, (_, scheme: string, identity: string) => {
    const colon = identity.indexOf(':');
    return colon === -1 ? `${scheme}***@` : `${scheme}${identity.slice(0, colon)}:***@`;
  });
}
