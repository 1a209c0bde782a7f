import { Role } from '@parley/contracts';
import { type RoleName, roleNames } from '../domain/roles.ts';

/** Roles as they stand in contracts and tokens. */
export const roleValues: Readonly<Record<RoleName, Role>> = {
  administrator: Role.ADMINISTRATOR,
  user_administrator: Role.USER_ADMINISTRATOR,
  help_desk: Role.HELP_DESK,
  viewer: Role.VIEWER,
  compliance_officer: Role.COMPLIANCE_OFFICER,
  auditor: Role.AUDITOR,
};

/** Undefined for a role of a later release. */
export function roleName(value: Role): RoleName | undefined {
  return roleNames.find(name => roleValues[name] === value);
}
