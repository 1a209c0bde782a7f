export const roleNames = [
  'administrator',
  'user_administrator',
  'help_desk',
  'viewer',
  'compliance_officer',
  'auditor',
] as const;

export type RoleName = (typeof roleNames)[number];

/** Each role once, in one order, so that equal sets are equal lists. */
export function normaliseRoles(roles: readonly RoleName[]): readonly RoleName[] {
  return roleNames.filter(name => roles.includes(name));
}

export function sameRoles(a: readonly RoleName[], b: readonly RoleName[]): boolean {
  return a.length === b.length && a.every(name => b.includes(name));
}

/**
 * Whoever may reset an administrator's password is one in effect. So people who hold a role are changed by
 * administrators only.
 */
export function mayAdminister(actor: readonly RoleName[], target: readonly RoleName[]): boolean {
  return actor.includes('administrator') || target.length === 0;
}
