// The published user model of a pool, as rates of one person. Sources and derivation: README.md.
const HOUR = 3600;

/** Events of one person in one second, in the busy hour. */
export const PER_SECOND = {
  // 6 sessions of 10 messages a day, half of them in a fifth of an eight-hour day: 417/s for 80,000 people
  message: (6 * 10 * 0.5) / 1.6 / HOUR,
  // at most 6 an hour
  presence: 6 / HOUR,
  // 60 an hour: mails, cards, conversations and refreshes
  poll: 60 / HOUR,
  // 6 an hour, each with the presence of 20 results
  search: 6 / HOUR,
  // 6 an hour, each for 10 minutes
  watch: 6 / HOUR,
};

/** Messages before somebody turns to another person. */
export const MESSAGES_A_TALK = 10;

/** How long somebody outside the contact list is watched, milliseconds. */
export const WATCH_MS = 600_000;

/** People looked at in one poll: the recipients of a mail. */
export const PEOPLE_A_POLL = 4;

/** Results of a search that are shown with their presence. */
export const PEOPLE_A_SEARCH = 20;
