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
});
