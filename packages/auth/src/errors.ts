import { defineErrors } from '@parley/rpc';

/** Refusals of this package beside `rpc.unauthenticated` and `rpc.token_expired`. */
export const authErrors = defineErrors({
  'auth.keys_unavailable': {
    kind: 'unavailable',
    message: 'the keys that verify tokens cannot be had now',
    remedy: 'Repeat the call later. Administrators: check that the directory service is ready.',
  },
});
