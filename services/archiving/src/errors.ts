import { defineErrors } from '@parley/rpc';

/** Every refusal of archiving. Codes never change their meaning. */
export const archivingErrors = defineErrors({
  'archive.settle_invalid': {
    kind: 'invalid',
    message: 'at most {limit} milliseconds',
    remedy: 'Wait for less, or verify again later.',
  },
  'archive.verify_busy': {
    kind: 'limit',
    message: 'at most {limit} verifications at a time',
    remedy: 'Wait until the one under way has ended.',
  },
  'archive.store_unavailable': {
    kind: 'unavailable',
    message: 'the archive cannot be read now',
    remedy: 'Repeat later; administrators: look at the store and the log of archiving.',
  },
  'archive.field_missing': {
    kind: 'invalid',
    message: 'must not be empty',
    remedy: 'Say which case it is for and why: every look into the archive is written down with both.',
  },
  'archive.field_too_long': {
    kind: 'invalid',
    message: 'at most {limit} {unit}',
    remedy: 'Shorten it.',
  },
  'archive.field_invalid': {
    kind: 'invalid',
    message: 'must be {wanted}',
    remedy: 'See the description of the field in the contract.',
  },
  'archive.cursor_invalid': {
    kind: 'invalid',
    message: 'not a cursor of this query',
    remedy: 'Pass `next_cursor` of the page before, with the query unchanged, or begin again without one.',
  },
  'archive.person_unknown': {
    kind: 'not_found',
    message: 'neither the directory nor the archive knows this person',
    remedy: 'Check the address, or search by words and time.',
  },
  'archive.record_unknown': {
    kind: 'not_found',
    message: 'the archive has no such record',
    remedy: 'Take the id from a search; a record that was purged lawfully is gone.',
  },
  'archive.record_not_found': {
    kind: 'not_found',
    message: 'not archived (yet): the archive has no record with this id',
    remedy:
      'What was just accepted may wait in the log: `archive status` shows how many do. Otherwise no policy archives it, the id is not that of an event, or it was purged lawfully.',
  },
  'archive.audit_unavailable': {
    kind: 'unavailable',
    message: 'the audit log cannot be written, so nothing of the archive is shown',
    remedy: 'Repeat later; administrators: look at the store and at the directory of checkpoint copies.',
  },
  'archive.account_disabled': {
    kind: 'forbidden',
    message: 'your account is no longer in force',
    remedy: 'Ask an administrator.',
  },
  'archive.role_lost': {
    kind: 'forbidden',
    message: 'you no longer hold a role that allows this',
    remedy: 'Ask an administrator; after a change of roles sign in again.',
  },
  'archive.directory_unavailable': {
    kind: 'unavailable',
    message: 'the directory does not answer, so it is not known who is meant, or which roles you hold',
    remedy: 'Repeat later.',
  },
  'archive.index_behind': {
    kind: 'unavailable',
    message: '{records} records are archived and not indexed yet; an export without them would not be complete',
    remedy: 'Repeat later; `archive status` shows how far the index is.',
  },
  'archive.search_busy': {
    kind: 'limit',
    message: 'at most {limit} searches at a time',
    remedy: 'Repeat in a moment.',
  },
  'archive.export_busy': {
    kind: 'limit',
    message: 'at most {limit} exports at a time',
    remedy: 'Wait until one of those under way has ended.',
  },
  'archive.export_too_large': {
    kind: 'limit',
    message: 'an export has at most {limit} files',
    remedy: 'Export less time at once, or choose JSON lines, which makes one file a day.',
  },
});
