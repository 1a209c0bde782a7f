import { defineErrors } from '@parley/rpc';

export const directoryErrors = defineErrors({
  'directory.field_missing': {
    kind: 'invalid',
    message: 'a value is needed',
    remedy: 'Fill in the field that the refusal names.',
  },
  'directory.field_invalid': {
    kind: 'invalid',
    message: 'is not {expected}',
    remedy: 'Send a value of the form that the contract gives for the field.',
  },
  'directory.too_long': {
    kind: 'limit',
    message: 'longer than {limit} {unit}',
    remedy: 'Shorten the value.',
  },
  'directory.too_many': {
    kind: 'limit',
    message: 'more than {limit} at once',
    remedy: 'Ask for less at once.',
  },
  'directory.address_invalid': {
    kind: 'invalid',
    message: 'not an address of the form user@domain',
    remedy: "Use letters, digits and !#$%&'*+-/=?^_`{|}~. before the @ and a domain name after it.",
  },
  'directory.domain_foreign': {
    kind: 'invalid',
    message: '{domain} is not a domain of this organisation',
    remedy: 'Use one of the domains in the configuration (directory.domains) or add the domain there.',
  },
  'directory.address_taken': {
    kind: 'exists',
    message: 'the address is or was that of another person',
    remedy: 'Choose another address; former addresses are never given to somebody else.',
  },
  'directory.too_many_addresses': {
    kind: 'limit',
    message: 'a person has at most {limit} addresses of this kind',
    remedy: 'Keep one of the present addresses.',
  },
  'directory.request_reused': {
    kind: 'exists',
    message: 'the request id was used for another person',
    remedy: 'Make a new request id for every person.',
  },
  'directory.person_not_found': {
    kind: 'not_found',
    message: 'there is no such person',
    remedy: 'Check the id or address.',
  },
  'directory.person_deleted': {
    kind: 'precondition',
    message: 'the person is deleted',
    remedy: 'Restore the person first.',
  },
  'directory.no_photo': {
    kind: 'not_found',
    message: 'the person has no picture',
    remedy: 'Ask only when photo_version is not empty; show initials instead.',
  },
  'directory.photo_invalid': {
    kind: 'invalid',
    message: 'not a PNG, JPEG or WebP picture',
    remedy: 'Save the picture in one of these formats.',
  },
  'directory.photo_large': {
    kind: 'limit',
    message: '{width} x {height} pixels; a picture has at most {limit} each way',
    remedy: 'Scale the picture down.',
  },
  'directory.external_id_conflict': {
    kind: 'exists',
    message: 'the person with this address is known by another external id',
    remedy: 'Correct the external id or the address in the file; an external id once given stays.',
  },
  'directory.manager_not_found': {
    kind: 'invalid',
    message: 'there is no such person to report to',
    remedy: 'Name the manager by address, id or external id; he must exist or stand in the same request.',
  },
  'directory.manager_self': {
    kind: 'invalid',
    message: 'nobody reports to himself',
    remedy: 'Name somebody else or nobody.',
  },
  'directory.group_not_found': {
    kind: 'not_found',
    message: 'there is no such group',
    remedy: 'Check the id or name.',
  },
  'directory.group_exists': {
    kind: 'exists',
    message: 'another group has that name',
    remedy: 'Choose another name; case and width make no difference.',
  },
  'directory.group_full': {
    kind: 'limit',
    message: 'a group has at most {limit} members',
    remedy: 'Make a second group.',
  },
  'directory.person_required': {
    kind: 'unauthenticated',
    message: 'only for signed-in people',
    remedy: 'Call with the access token of a person.',
  },
  'directory.role_lost': {
    kind: 'forbidden',
    message: 'the role that this needs was taken away',
    remedy: 'Refresh the access token to see the present roles; ask an administrator.',
  },
  'directory.cursor_invalid': {
    kind: 'invalid',
    message: 'not a cursor of this list',
    remedy: 'Pass the cursor of the page before unchanged, or none to begin again.',
  },
  'directory.sign_in_refused': {
    kind: 'unauthenticated',
    message: 'sign-in refused',
    remedy: 'Check address and password; ask an administrator if the account is disabled.',
  },
  'directory.sign_in_locked': {
    kind: 'limit',
    message: 'too many wrong passwords; sign-in is locked for a while',
    remedy: 'Wait as long as the refusal says, or ask an administrator to unlock the account.',
  },
  'directory.sign_in_rate': {
    kind: 'limit',
    message: 'too many attempts to sign in',
    remedy: 'Wait as long as the refusal says.',
  },
  'directory.sign_in_busy': {
    kind: 'limit',
    message: 'too many passwords wait to be checked',
    remedy: 'Try again after the time the refusal gives. Administrators: see directory.hashConcurrency.',
  },
  'directory.refresh_invalid': {
    kind: 'unauthenticated',
    message: 'not a refresh token of a sign-in',
    remedy: 'Sign in again.',
  },
  'directory.refresh_reused': {
    kind: 'unauthenticated',
    message: 'the refresh token was used before; the sign-in has been ended',
    remedy: 'Sign in again. If this repeats, somebody else may hold a copy of the token: change the password.',
  },
  'directory.refresh_rate': {
    kind: 'limit',
    message: 'refreshed too often',
    remedy: 'Use the access token until shortly before its end.',
  },
  'directory.sign_in_over': {
    kind: 'unauthenticated',
    message: 'the sign-in is over',
    remedy: 'Sign in again.',
  },
  'directory.password_wrong': {
    kind: 'forbidden',
    message: 'not the present password',
    remedy: 'Give the password that was used to sign in.',
  },
  'directory.password_short': {
    kind: 'invalid',
    message: 'shorter than {limit} bytes',
    remedy: 'Choose a longer password; several words are easier to keep in mind than signs.',
  },
  'directory.password_weak': {
    kind: 'invalid',
    message: 'too easy to guess',
    remedy: 'Choose a password that is not made of name or address and not of a few repeated characters.',
  },
  'directory.password_unchanged': {
    kind: 'invalid',
    message: 'the same as before',
    remedy: 'Choose another password.',
  },
  'directory.last_administrator': {
    kind: 'precondition',
    message: 'the last enabled administrator cannot be disabled, deleted or lose the role',
    remedy: 'Make somebody else an administrator first.',
  },
  'directory.too_many_administrators': {
    kind: 'limit',
    message: 'at most {limit} people can be administrators',
    remedy: 'Take the role from somebody or give a narrower one.',
  },
  'directory.roles_need_administrator': {
    kind: 'forbidden',
    message: 'only an administrator gives roles',
    remedy: 'Make the person without roles and ask an administrator to give them.',
  },
  'directory.target_has_roles': {
    kind: 'forbidden',
    message: 'only an administrator changes accounts that hold a role',
    remedy: 'Ask an administrator.',
  },
  'directory.busy': {
    kind: 'conflict',
    message: 'others change the same thing at this moment',
    remedy: 'Read again, then repeat the call.',
  },
  'directory.store_unavailable': {
    kind: 'unavailable',
    message: 'the database cannot be reached',
    remedy: 'Repeat the call later with growing pauses; nothing was changed.',
  },
  'directory.outcome_unknown': {
    kind: 'unknown',
    message: 'the database did not say whether the change was made',
    remedy: 'Repeat the same call; calls with a request id never act twice.',
  },
});
