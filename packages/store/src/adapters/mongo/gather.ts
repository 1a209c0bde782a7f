/** Most items that go out together. */
const MOST = 1000;

/** One call that waits to go out. */
interface Waiting<I, O> {
  readonly item: I;
  readonly bytes: number;
  readonly resolve: (result: O) => void;
  readonly reject: (reason: unknown) => void;
}

/** How calls are gathered. */
export interface GatherOptions {
  /** Bytes that go out together, at most (or one item). */
  readonly bytes: number;
  /** Requests under way at a time; what comes meanwhile goes out with the next. */
  readonly concurrent: number;
  /** Items that may wait. */
  readonly queue: number;
  /** Thrown at an item too many. */
  readonly overloaded: () => Error;
}

/**
 * Gathers what one turn of the event loop asks for into one request (group commit on the wire). `send` resolves with
 * one outcome per item, in order: a result, or an `Error` for that item alone; when it rejects, all of them fail.
 */
export function gather<I, O extends object>(
  send: (items: readonly I[]) => Promise<readonly (O | Error | undefined)[]>,
  options: GatherOptions,
): (item: I, bytes: number) => Promise<O | undefined> {
  let queue: Waiting<I, O | undefined>[] = [];
  let scheduled = false;
  let running = 0;

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      while (queue.length > 0 && running < options.concurrent) void run(take());
    });
  }

  function take(): Waiting<I, O | undefined>[] {
    let bytes = 0;
    let n = 0;
    while (n < queue.length && n < MOST) {
      bytes += (queue[n] as Waiting<I, O>).bytes;
      if (n > 0 && bytes > options.bytes) break;
      n++;
    }
    const taken = queue.slice(0, n);
    queue = queue.slice(n);
    return taken;
  }

  async function run(taken: readonly Waiting<I, O | undefined>[]): Promise<void> {
    running++;
    try {
      const outcomes = await send(taken.map(w => w.item));
      taken.forEach((w, i) => {
        const outcome = outcomes[i];
        if (outcome instanceof Error) w.reject(outcome);
        else w.resolve(outcome);
      });
    } catch (error) {
      for (const w of taken) w.reject(error);
    } finally {
      running--;
      if (queue.length > 0) schedule();
    }
  }

  return (item, bytes) => {
    if (queue.length >= options.queue) return Promise.reject(options.overloaded());
    return new Promise((resolve, reject) => {
      queue.push({ item, bytes, resolve, reject });
      if (running < options.concurrent) schedule();
    });
  };
}
