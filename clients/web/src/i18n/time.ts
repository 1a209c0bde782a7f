/** Times as a person reads them; `now` and the time zone decide what today is. */
export interface Times {
  /** Hour and minute. */
  clock(ms: number): string;
  /** Name of a day: today, yesterday, a weekday within the last week, else the date. */
  day(ms: number, nowMs: number): string;
  /** As short as it can be said: the hour today, the day else. */
  brief(ms: number, nowMs: number): string;
  /** All of it. */
  full(ms: number): string;
  /** Names the day a time is in: equal for times of one day. */
  dayKey(ms: number): string;
}

const DAY_MS = 86_400_000;

/** See {@link Times}. `words` are those of the catalogue. */
export function createTimes(
  locale: string,
  words: { readonly today: string; readonly yesterday: string },
  timeZone?: string,
): Times {
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, timeZone === undefined ? options : { ...options, timeZone });
  const clock = format({ timeStyle: 'short' });
  const weekday = format({ weekday: 'long' });
  const dayMonth = format({ weekday: 'long', day: 'numeric', month: 'long' });
  const dayMonthYear = format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  const shortWeekday = format({ weekday: 'short' });
  const shortDay = format({ day: 'numeric', month: 'short' });
  const shortYear = format({ day: 'numeric', month: 'numeric', year: 'numeric' });
  const full = format({ dateStyle: 'full', timeStyle: 'medium' });
  const key = new Intl.DateTimeFormat('en-CA', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    ...(timeZone !== undefined && { timeZone }),
  });
  const dayKey = (ms: number) => key.format(ms);
  /** Days between, by the calendar: a day with a change of the clock has 23 or 25 hours. */
  const daysAgo = (ms: number, nowMs: number) =>
    Math.round((Date.parse(dayKey(nowMs)) - Date.parse(dayKey(ms))) / DAY_MS);
  const sameYear = (ms: number, nowMs: number) => dayKey(ms).slice(0, 4) === dayKey(nowMs).slice(0, 4);

  return {
    clock: ms => clock.format(ms),
    day(ms, nowMs) {
      const ago = daysAgo(ms, nowMs);
      if (ago === 0) return words.today;
      if (ago === 1) return words.yesterday;
      if (ago > 1 && ago < 7) return weekday.format(ms);
      return (sameYear(ms, nowMs) ? dayMonth : dayMonthYear).format(ms);
    },
    brief(ms, nowMs) {
      const ago = daysAgo(ms, nowMs);
      if (ago === 0) return clock.format(ms);
      if (ago === 1) return words.yesterday;
      if (ago > 1 && ago < 7) return shortWeekday.format(ms);
      return (sameYear(ms, nowMs) ? shortDay : shortYear).format(ms);
    },
    full: ms => full.format(ms),
    dayKey,
  };
}
