import type { Logger, Metrics } from '@parley/runtime';
import { createDirectoryEvents } from '../../events.ts';
import type { Announcements } from '../../ports/announcements.ts';
import type { PasswordHasher } from '../../ports/password-hasher.ts';
import type { Records } from '../../ports/records.ts';
import { rehearsedRecords } from './rehearsed-records.ts';

/** What a dry run works with instead: it reads what is stored, and all it does is forgotten. */
export function rehearsal(records: Records) {
  return { ...rehearsedRecords(records), events, announcements, hasher };
}

const nothing = () => {};
const logger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => logger };
const silent = { inc: nothing, set: nothing, observe: nothing };
const metrics: Metrics = {
  counter: () => silent,
  gauge: () => silent,
  histogram: () => silent,
  render: async () => '',
  specs: () => [],
};
const events = createDirectoryEvents({ logger, metrics });
const announcements: Announcements = { personChanged: nothing, everybodyChanged: nothing };
/** No password is kept, so none is worth the time of hashing. */
const hasher: PasswordHasher = {
  hash: async () => 'rehearsed',
  verify: async () => false,
  isOutdated: () => false,
};
