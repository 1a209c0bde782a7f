import { defineErrors } from '@parley/rpc';

/** Every refusal of presence. */
export const err = defineErrors({
  'presence.invalid_id': {
    kind: 'invalid',
    message: 'must be {rule}',
    remedy: 'Send an id as the server or the SDK made it.',
  },
  'presence.required': {
    kind: 'invalid',
    message: 'must be set',
    remedy: 'Set the field to one of its values.',
  },
  'presence.unknown_value': {
    kind: 'invalid',
    message: 'is not a value this server knows',
    remedy: 'Use a value of this version of the contract.',
  },
  'presence.out_of_range': {
    kind: 'invalid',
    message: 'must be {min} to {max}',
    remedy: 'Choose a value within the range.',
  },
  'presence.too_many': {
    kind: 'limit',
    message: 'at most {limit} at once',
    remedy: 'Split the request.',
  },
  'presence.appear_offline_forbidden': {
    kind: 'forbidden',
    message: 'policy does not allow to appear offline',
    remedy: 'Choose another state, or ask an administrator to allow it (presence.appearOffline).',
  },
  'presence.expires_in_past': {
    kind: 'invalid',
    message: 'must be in the future',
    remedy: 'Choose a later end, or 0 for the default.',
  },
  'presence.expires_too_far': {
    kind: 'limit',
    message: 'at most {days} days ahead',
    remedy: 'Choose an earlier end, or 0 for the default.',
  },
  'presence.note_too_long': {
    kind: 'limit',
    message: 'at most {limit} characters',
    remedy: 'Shorten the note.',
  },
  'presence.note_characters': {
    kind: 'invalid',
    message: 'control characters, line breaks and direction marks are not allowed',
    remedy: 'Remove them; a note is one line of text.',
  },
  'presence.too_many_endpoints': {
    kind: 'limit',
    message: 'at most {limit} devices at the same time',
    remedy: 'Sign out on another device first.',
  },
  'presence.no_lease': {
    kind: 'precondition',
    message: 'the session pod has no live lease',
    remedy: 'Renew the lease of the pod, then open the endpoint again.',
  },
  'presence.watcher_refused': {
    kind: 'forbidden',
    message: 'the watcher is unknown or disabled',
    remedy: 'Sign in with an enabled account.',
  },
  'presence.account_disabled': {
    kind: 'forbidden',
    message: 'your account is no longer in force',
    remedy: 'Ask an administrator.',
  },
  'presence.role_lost': {
    kind: 'forbidden',
    message: 'you no longer hold a role that allows this',
    remedy: 'Ask an administrator; after a change of roles sign in again.',
  },
  'presence.directory_unavailable': {
    kind: 'unavailable',
    message: 'the directory cannot be asked who the watcher is',
    remedy: 'Try again; nothing is shown without knowing the watcher.',
  },
  'presence.contention': {
    kind: 'unavailable',
    message: 'the presence of this person changes too often at this moment',
    remedy: 'Try again with the same request id.',
  },
  'presence.store_unavailable': {
    kind: 'unavailable',
    message: 'the database does not answer',
    remedy: 'Try again; nothing was changed.',
  },
  'presence.outcome_unknown': {
    kind: 'unknown',
    message: 'the database did not confirm the change',
    remedy: 'Repeat with the same request id; it is carried out once.',
  },
});
