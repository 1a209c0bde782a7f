import { isWeakPassword, maxPasswordBytes, minPasswordBytes, normalisePassword } from '../domain/password.ts';
import { directoryErrors as err } from '../errors.ts';

/** The normalised password, unless it is too short, too long, or what anybody would try first. */
export function acceptPassword(
  password: string,
  person: { readonly displayName: string; readonly addresses: readonly string[] },
  field: string,
): string {
  const accepted = normalisePassword(password);
  const bytes = Buffer.byteLength(accepted);
  if (bytes < minPasswordBytes) throw err('directory.password_short', { field, params: { limit: minPasswordBytes } });
  if (bytes > maxPasswordBytes) {
    throw err('directory.too_long', { field, params: { limit: maxPasswordBytes, unit: 'bytes' } });
  }
  const names = [person.displayName, ...person.displayName.split(/\s+/u)];
  for (const address of person.addresses) names.push(address, address.slice(0, address.lastIndexOf('@')));
  if (isWeakPassword(accepted, { names })) throw err('directory.password_weak', { field });
  return accepted;
}
