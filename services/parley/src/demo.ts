import type { RoleName } from '@parley/directory-service';

/** A person of the demo organisation. */
export interface DemoPerson {
  /** Local part of the address. */
  readonly name: string;
  readonly displayName: string;
  readonly department: string;
  readonly title: string;
  readonly language: string;
  readonly roles: readonly RoleName[];
}

/** Domain of the demo organisation; `.example` can never be somebody's. */
export const DEMO_DOMAIN = 'demo.parley.example';

const person = (
  name: string,
  displayName: string,
  department: string,
  title: string,
  language = 'en',
  roles: readonly RoleName[] = [],
): DemoPerson => ({
  name,
  displayName,
  department,
  title,
  language,
  roles,
});

/** Riverside Clinic, an invented organisation to try Parley with. */
export const DEMO_PEOPLE: readonly DemoPerson[] = [
  person('admin', 'Ada Admin', 'IT', 'Administrator', 'en', ['administrator']),
  person('officer', 'Olu Bello', 'Compliance', 'Compliance officer', 'en', ['compliance_officer']),
  person('mei.lin', '林美玲', 'Surgery', 'Surgeon', 'zh-TW'),
  person('tom.okafor', 'Tom Okafor', 'Surgery', 'Anaesthetist'),
  person('ana.souza', 'Ana Souza', 'Nursing', 'Ward sister'),
  person('wei.chen', '陳志偉', 'Pharmacy', 'Pharmacist', 'zh-TW'),
  person('ben.haddad', 'Ben Haddad', 'Radiology', 'Radiographer'),
  person('ivy.wang', '王怡君', 'Reception', 'Receptionist', 'zh-TW'),
];
