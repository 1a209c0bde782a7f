/**
 * Asks `condition` again and again until it returns something other than undefined, null or false, and returns that.
 * Rejects after `timeoutMs` (default 15,000), naming `what` and the last error. The way tests wait: for a condition,
 * never for a length of time.
 */
export async function until<T>(
  what: string,
  condition: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  { timeoutMs = 15_000, everyMs = 20 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const end = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== undefined && value !== null && value !== false) return value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`, last === undefined ? {} : { cause: last });
    }
    await new Promise(resolve => setTimeout(resolve, everyMs));
  }
}
