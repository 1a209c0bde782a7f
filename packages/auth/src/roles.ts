import type { Role } from '@parley/contracts';
import { type PersonPrincipal, type Principal, personIn, rpcErrors } from '@parley/rpc';

/** Whether the person who calls (or for whom a service calls) holds one of `roles`. */
export function hasRole(principal: Principal, ...roles: readonly Role[]): boolean {
  const person = personIn(principal);
  return person !== undefined && roles.some(role => person.roles.includes(role));
}

/** The person, who holds one of `roles`; throws `rpc.unauthenticated` or `rpc.permission_denied`. */
export function requireRole(principal: Principal, ...roles: readonly Role[]): PersonPrincipal {
  const person = personIn(principal);
  if (!person) throw rpcErrors('rpc.unauthenticated');
  if (!hasRole(person, ...roles)) throw rpcErrors('rpc.permission_denied');
  return person;
}
