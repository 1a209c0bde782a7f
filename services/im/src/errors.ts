import { defineErrors } from '@parley/rpc';

/** Every refusal of instant messaging. Codes never change their meaning. */
export const imErrors = defineErrors({
  'im.message_id_invalid': {
    kind: 'invalid',
    message: 'must be a UUID in its 36-character form',
    remedy: 'Make a random UUID for each message and keep it for repetitions of the same message.',
  },
  'im.message_id_reused': {
    kind: 'exists',
    message: 'this id was used for a message with other content or another recipient',
    remedy: 'Give every message its own random UUID; repeat a message unchanged.',
  },
  'im.recipient_invalid': {
    kind: 'invalid',
    message: 'must be the id of a person: 1 to 64 characters of A-Z a-z 0-9 _ -',
    remedy: 'Use an id that the directory returned, not an address.',
  },
  'im.recipient_self': {
    kind: 'invalid',
    message: 'nobody can send a message to himself',
    remedy: 'Choose another recipient.',
  },
  'im.recipient_not_found': {
    kind: 'not_found',
    message: 'nobody has this id',
    remedy: 'Look the person up again.',
  },
  'im.recipient_disabled': {
    kind: 'precondition',
    message: 'this person can no longer be written to',
    remedy: 'The account was disabled; write to somebody else.',
  },
  'im.sender_disabled': {
    kind: 'forbidden',
    message: 'your account can no longer send messages',
    remedy: 'Ask an administrator.',
  },
  'im.account_disabled': {
    kind: 'forbidden',
    message: 'your account is no longer in force',
    remedy: 'Ask an administrator.',
  },
  'im.text_empty': { kind: 'invalid', message: 'must not be empty', remedy: 'Say something.' },
  'im.text_too_long': {
    kind: 'limit',
    message: 'at most {limit} characters',
    remedy: 'Split the text into several messages.',
  },
  'im.text_too_large': {
    kind: 'limit',
    message: 'at most {limit} bytes of UTF-8',
    remedy: 'Split the text into several messages.',
  },
  'im.text_control_character': {
    kind: 'invalid',
    message: 'no control characters other than tab and line feed',
    remedy: 'Remove them; end lines with a line feed alone.',
  },
  'im.text_malformed': {
    kind: 'invalid',
    message: 'not well-formed Unicode',
    remedy: 'Remove surrogates that have no partner.',
  },
  'im.format_unsupported': { kind: 'invalid', message: 'unknown format', remedy: 'Send plain text.' },
  'im.importance_unsupported': {
    kind: 'invalid',
    message: 'unknown importance',
    remedy: 'Send normal or high importance.',
  },
  'im.after_key_invalid': {
    kind: 'invalid',
    message: 'not a key of a message',
    remedy: 'Send the greatest key seen in the conversation, or leave it empty.',
  },
  'im.key_in_future': {
    kind: 'invalid',
    message: 'more than {limit} ms ahead of the server',
    remedy: 'Send only keys that the server gave out.',
  },
  'im.cursor_invalid': {
    kind: 'invalid',
    message: 'not a cursor of this call',
    remedy: 'Pass back unchanged what the last answer held, or leave it empty.',
  },
  'im.limit_invalid': { kind: 'invalid', message: 'at most {limit}', remedy: 'Ask for less and read page by page.' },
  'im.conversation_invalid': {
    kind: 'invalid',
    message: 'exactly one of conversation_id and with_person_id, in the form the server gave it',
    remedy: 'Name the conversation or the other person.',
  },
  'im.conversation_not_found': {
    kind: 'not_found',
    message: 'no such conversation of yours',
    remedy: 'Nothing was said there yet, or not with you.',
  },
  'im.rate_limited': {
    kind: 'limit',
    message: 'more than {rate} messages a second',
    remedy: 'Wait as long as the answer says, then repeat with the same id.',
  },
  'im.archive_unavailable': {
    kind: 'unavailable',
    message: 'the archive cannot take the message now, so it was delivered to nobody',
    remedy:
      'Repeat later with the same id and a greater attempt; administrators: look at the archive log and the lag of archiving.',
  },
  'im.store_unavailable': {
    kind: 'unavailable',
    message: 'the message store does not answer',
    remedy: 'Repeat with the same id.',
  },
  'im.directory_unavailable': {
    kind: 'unavailable',
    message: 'the directory does not answer, so nobody knows who may write to whom',
    remedy: 'Repeat with the same id.',
  },
  'im.clock_unmeasured': {
    kind: 'unavailable',
    message: "the store's time is not known",
    remedy: 'Repeat with the same id; administrators: look at the connection to the store.',
  },
  'im.outcome_unknown': {
    kind: 'unknown',
    message: 'the message may or may not have been stored',
    remedy: 'Repeat with the same id and a greater attempt: it is never stored twice.',
  },
});
