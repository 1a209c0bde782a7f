import type { Column } from './header.ts';

/** What a column may hold. */
export type CsvField =
  | 'address'
  | 'other_addresses'
  | 'display_name'
  | 'given_name'
  | 'surname'
  | 'department'
  | 'title'
  | 'language'
  | 'site'
  | 'manager'
  | 'groups'
  | 'photo'
  | 'external_id'
  | 'initial_password'
  | 'enabled'
  | 'disabled'
  | 'dn';

/**
 * Columns by name: ours first, then those of Active Directory, Microsoft 365 and the usual systems of human resources.
 * Case, width, spaces, `-`, `_` and `.` make no difference.
 */
export const PEOPLE_COLUMNS: readonly Column<CsvField>[] = [
  {
    field: 'address',
    names: [
      'address',
      'mail',
      'email',
      'email address',
      'work email',
      'business email',
      'primary email',
      'company email',
      'primary smtp address',
      'windows email address',
      'user principal name',
      'upn',
      'user name',
    ],
  },
  {
    field: 'other_addresses',
    names: ['other addresses', 'aliases', 'email aliases', 'proxy addresses', 'mail alternate address', 'other mails'],
  },
  {
    field: 'display_name',
    names: ['display name', 'full name', 'preferred name', 'employee name', 'worker', 'cn', 'common name', 'name'],
  },
  { field: 'given_name', names: ['given name', 'first name', 'preferred first name', 'legal first name'] },
  { field: 'surname', names: ['surname', 'last name', 'family name', 'sn', 'legal last name'] },
  {
    field: 'department',
    names: ['department', 'department name', 'dept', 'org unit', 'organizational unit', 'ou', 'business unit', 'team'],
  },
  { field: 'title', names: ['title', 'job title', 'business title', 'position', 'position title'] },
  { field: 'language', names: ['language', 'preferred language', 'locale', 'lang'] },
  { field: 'site', names: ['site', 'site code'] },
  {
    field: 'manager',
    names: [
      'manager',
      'manager address',
      'manager email',
      'manager email address',
      'supervisor email',
      'manager upn',
      'manager id',
      'manager employee id',
      'supervisor id',
      'reports to',
      'supervisor',
    ],
  },
  { field: 'groups', names: ['groups', 'group', 'member of', 'distribution lists'] },
  { field: 'photo', names: ['photo', 'picture', 'photo file', 'thumbnail photo', 'jpeg photo'] },
  {
    field: 'external_id',
    names: [
      'external id',
      'employee number',
      'employee id',
      'worker id',
      'personnel number',
      'staff id',
      'person id',
      'entry uuid',
      'object guid',
      'object id',
      'immutable id',
    ],
  },
  { field: 'initial_password', names: ['initial password', 'password'] },
  { field: 'enabled', names: ['enabled', 'account enabled', 'active', 'is active', 'status', 'employment status'] },
  { field: 'disabled', names: ['disabled', 'account disabled', 'block credential', 'is disabled'] },
  { field: 'dn', names: ['distinguished name', 'dn'] },
];
