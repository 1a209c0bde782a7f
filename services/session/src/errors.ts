import { defineErrors } from '@parley/rpc';

/** Refusals of the session service. */
export const sessionErrors = defineErrors({
  'session.invalid_id': {
    kind: 'invalid',
    message: 'must match {pattern}',
    remedy: 'Send an id of the form the field asks for.',
  },
  'session.invalid_client_version': {
    kind: 'invalid',
    message: 'must be `name/1.2.3` of at most {limit} characters',
    remedy: 'Send the name and the version of the client, or nothing.',
  },
  'session.unknown_value': {
    kind: 'invalid',
    message: 'is none of the values this server knows',
    remedy: 'Send one of the values of the enumeration.',
  },
  'session.too_many_ids': {
    kind: 'limit',
    message: 'at most {limit} ids',
    remedy: 'Send fewer ids in one request.',
  },
  'session.too_many_watches': {
    kind: 'limit',
    message: 'a session watches at most {limit} people',
    remedy: 'Stop watching somebody first; watch who is in view.',
  },
  'session.too_many_connects': {
    kind: 'unavailable',
    message: 'too many streams are being opened',
    remedy: 'Connect again after the time given.',
  },
  'session.too_many_sessions': {
    kind: 'unavailable',
    message: 'this server holds as many streams as it may',
    remedy: 'Connect again after the time given; raise session.maxSessions or add replicas.',
  },
  'session.too_many_commands': {
    kind: 'limit',
    message: 'at most {limit} commands a minute',
    remedy: 'Send commands less often; put several people into one Watch.',
  },
  'session.shutting_down': {
    kind: 'unavailable',
    message: 'this server is stopping',
    remedy: 'Connect again after the time given; another replica answers.',
  },
  'session.not_ready': {
    kind: 'unavailable',
    message: 'this server cannot keep devices alive at the moment',
    remedy: 'Connect again after the time given; check that presence is reachable from session.',
  },
  'session.client_too_old': {
    kind: 'precondition',
    message: 'version {version} is older than {minimum}, the oldest this server works with',
    remedy: 'Update the client.',
  },
  'session.client_gone': {
    kind: 'cancelled',
    message: 'the client went away before its stream was open',
    remedy: 'Nothing; connect again if the stream is still wanted.',
  },
  'session.account_disabled': {
    kind: 'unauthenticated',
    message: 'your account is no longer in force',
    remedy: 'Sign in again when an administrator has enabled it.',
  },
  'session.token_expired': {
    kind: 'unauthenticated',
    message: 'the access token has ended',
    remedy: 'Refresh the token and connect again.',
  },
});
