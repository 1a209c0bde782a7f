import { InvalidArgumentError } from 'commander';

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const LOCAL = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;

/**
 * Reads a day (`2026-01-05`) or a time (`2026-01-05T09:30`) of this machine's zone, or a time with a zone of its own
 * (`2026-01-05T09:30Z`, `…+08:00`). Returns milliseconds since 1970-01-01 UTC; a day stands for its first moment, or,
 * with `end`, for the first moment after it.
 */
export function parseWhen(end: boolean): (text: string) => number {
  return text => {
    const day = DAY.test(text);
    if (!day && !LOCAL.test(text) && !INSTANT.test(text)) throw wrong();
    const time = new Date(day ? `${text}T00:00` : text);
    // 30 February would become 2 March.
    const asked = Number(text.slice(8, 10));
    const isThere = INSTANT.test(text) ? new Date(`${text.slice(0, 10)}T00:00Z`).getUTCDate() : time.getDate();
    if (Number.isNaN(time.getTime()) || isThere !== asked) throw wrong();
    if (day && end) time.setDate(time.getDate() + 1);
    return time.getTime();
  };
}

const wrong = () =>
  new InvalidArgumentError('Give a day like 2026-01-05, or a time like 2026-01-05T09:30 or 2026-01-05T09:30Z.');
