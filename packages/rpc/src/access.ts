import { type PersonPrincipal, type Principal, personIn } from './context.ts';
import type { RegisteredMethod } from './method.ts';
import { rpcErrors } from './rpc-errors.ts';

/**
 * Whether `principal` may call `method`; returns the principal the handler sees. Throws `rpc.unauthenticated`,
 * `rpc.permission_denied` or `rpc.password_change_required`.
 */
export function authorise(method: RegisteredMethod, principal: Principal): Principal {
  if (method.audience === 'service') return authoriseService(method, principal);
  const person = personIn(principal);
  if (!person) throw rpcErrors('rpc.unauthenticated');
  if (person.passwordChangeRequired && !method.allowedBeforePasswordChange) {
    throw rpcErrors('rpc.password_change_required');
  }
  if (method.roles && !holdsOne(person, method.roles)) throw rpcErrors('rpc.permission_denied');
  return person;
}

function authoriseService(method: RegisteredMethod, principal: Principal): Principal {
  if (principal.kind === 'anonymous') throw rpcErrors('rpc.unauthenticated');
  if (principal.kind !== 'service' || !method.callers.has(principal.name)) throw rpcErrors('rpc.permission_denied');
  return principal;
}

function holdsOne(person: PersonPrincipal, roles: NonNullable<RegisteredMethod['roles']>): boolean {
  for (const role of roles) if (person.roles.includes(role)) return true;
  return false;
}
