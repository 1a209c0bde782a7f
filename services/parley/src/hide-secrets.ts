/** A copy of a configuration in which no connection string shows a password or a token. */
export function hideSecrets(value: unknown): unknown {
  if (typeof value === 'string') return hideInUrl(value);
  if (Array.isArray(value)) return value.map(hideSecrets);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, hideSecrets(v)]));
  return value;
}

/** `scheme://user:password@host`: the password may hold an @; without a colon it is a token. */
function hideInUrl(text: string): string {
  return text.replace(/(\w:\/\/)(\S*)@/g, (_, scheme: string, identity: string) => {
    const colon = identity.indexOf(':');
    return colon === -1 ? `${scheme}***@` : `${scheme}${identity.slice(0, colon)}:***@`;
  });
}
