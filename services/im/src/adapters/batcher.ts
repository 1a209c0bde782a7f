interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (result: O) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Turns single calls into one call for all that come within a turn of the event loop: a call to the store or the log
 * costs several times as much as one more item in it. Batches do not wait for each other. A batch that fails fails for
 * all in it.
 */
export function createBatcher<I, O>(
  run: (items: readonly I[]) => Promise<readonly O[]>,
  most: number,
): (item: I) => Promise<O> {
  let waiting: Waiting<I, O>[] = [];

  function flush(): void {
    const all = waiting;
    waiting = [];
    for (let i = 0; i < all.length; i += most) void settle(all.slice(i, i + most));
  }

  async function settle(batch: readonly Waiting<I, O>[]): Promise<void> {
    try {
      const results = await run(batch.map(each => each.item));
      batch.forEach((each, i) => each.resolve(results[i] as O));
    } catch (error) {
      for (const each of batch) each.reject(error);
    }
  }

  return item =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ item, resolve, reject });
    });
}
