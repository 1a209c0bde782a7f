import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import type { RoleName } from '@parley/directory-service';
import { type PeopleRow, readPeopleFile } from '@parley/people-file';
import { pictureOf } from './demo/picture.ts';

/** Domain of the demo organisation; `.example` can never be somebody's. */
export const DEMO_DOMAIN = 'demo.parley.example';

/** Riverside Clinic, an invented organisation to try Parley with. */
const PEOPLE_FILE = new URL('./demo/people.csv', import.meta.url);

/** Somebody of the demo organisation who can sign in. */
export interface DemoAccount {
  readonly address: string;
  readonly roles: readonly RoleName[];
}

const account = (name: string, ...roles: readonly RoleName[]): DemoAccount => ({
  address: `${name}@${DEMO_DOMAIN}`,
  roles,
});

/**
 * Who gets a password. A dozen is enough to try everything with, and hashing passwords is what takes the time; the
 * others are there to be found, seen and administered.
 */
export const DEMO_ACCOUNTS: readonly DemoAccount[] = [
  account('admin', 'administrator'),
  account('officer', 'compliance_officer'),
  account('auditor', 'auditor'),
  account('mei.lin'),
  account('tom.okafor'),
  account('ana.souza'),
  account('wei.chen'),
  account('ben.haddad'),
  account('ivy.wang'),
  account('grace.huang'),
  account('yu.ting.tsai'),
  account('leo.fischer'),
];

/** Everybody, with pictures that are drawn here. */
export async function demoPeople(): Promise<readonly PeopleRow[]> {
  const photos = { read: async (path: string) => pictureOf(basename(path, '.png')) };
  const rows: PeopleRow[] = [];
  for await (const item of readPeopleFile(createReadStream(PEOPLE_FILE), { photos })) {
    if (!('row' in item)) throw new Error(`${PEOPLE_FILE.pathname}: ${JSON.stringify(item)}`);
    rows.push(item.row);
  }
  return rows;
}
