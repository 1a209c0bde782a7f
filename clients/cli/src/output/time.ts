const two = (value: number) => String(value).padStart(2, '0');

/** Local time for people: the time of today, otherwise with the date. */
export function timeOf(ms: number, now: number): string {
  const time = new Date(ms);
  const today = new Date(now);
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}`;
  return time.toDateString() === today.toDateString() ? clock : `${date} ${clock}`;
}

/** Time for machines (RFC 3339, UTC); undefined for 0. */
export function isoOf(ms: bigint | number): string | undefined {
  const value = Number(ms);
  return value === 0 ? undefined : new Date(value).toISOString();
}

/** A length of time in words: `3 s`, `5 min`, `2 h`, `3 days`. */
export function lengthOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
