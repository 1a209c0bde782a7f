import type { Client } from '@connectrpc/connect';
import type { ImEvent, ImService } from '@parley/contracts/im/v1/im';
import { closedReason, unlessAborted } from './abort.ts';
import { backoff, type ClientEnvironment } from './environment.ts';
import { ParleyClientError, toClientError } from './errors.ts';
import { callSafely } from './store.ts';

/** Where the cursor of the last complete synchronisation is kept. */
export interface CursorStore {
  /** What was kept last; undefined or empty to begin anew. */
  load(): Promise<string | undefined>;
  /** Keeps a cursor: opaque text, below 1,000 characters. */
  save(cursor: string): Promise<void>;
}

/** Keeps the cursor in memory. */
export function memoryCursorStore(): CursorStore {
  let cursor: string | undefined;
  return { load: async () => cursor, save: async next => void (cursor = next) };
}

/** Keeps the cursor in a Web Storage area. */
export function webCursorStore(storage: Storage, key: string): CursorStore {
  return { load: async () => storage.getItem(key) ?? undefined, save: async cursor => storage.setItem(key, cursor) };
}

/** Brings together what the stream pushes and what synchronisation finds; hands on each event once. */
export interface Inbox {
  /** An event from the stream. */
  push(event: ImEvent): void;
  /**
   * Synchronises; a call during a run makes one more run follow it and waits for that. Rejects when it cannot finish.
   * An aborted signal ends the waiting only.
   */
  sync(signal?: AbortSignal): Promise<void>;
  /** Calls `listener` for every event, once each. Events of one conversation can come late: order them by key. */
  onEvent(listener: (event: ImEvent) => void): () => void;
  /** Calls `listener` when an event that was handed on comes again with a later key. */
  onMoved(listener: (event: ImEvent) => void): () => void;
  /** Ends the run under way. */
  stop(): void;
  /** Ends the run under way and forgets what was seen: somebody else has signed in. */
  forget(): void;
}

/** How many ids are remembered to drop repetitions. */
const REMEMBERED = 20_000;
/** Tries of one page. */
const TRIES = 6;

/** See {@link Inbox}. */
export function createInbox(
  im: Client<typeof ImService>,
  cursors: CursorStore,
  env: ClientEnvironment,
  self: () => string,
): Inbox {
  const listeners = new Set<(event: ImEvent) => void>();
  const movedListeners = new Set<(event: ImEvent) => void>();
  /** Keys of what was handed on, by id. */
  const seen = new Map<string, string>();
  let stopping = new AbortController();
  let running: Promise<void> | undefined;
  let again = false;

  function push(event: ImEvent): void {
    const key = seen.get(event.id);
    if (key !== undefined && event.key <= key) return;
    seen.set(event.id, event.key);
    if (seen.size > REMEMBERED) dropOldest();
    for (const listener of [...(key === undefined ? listeners : movedListeners)]) callSafely(listener, event);
  }

  function dropOldest(): void {
    for (const id of seen.keys()) {
      if (seen.size <= REMEMBERED * 0.9) return;
      seen.delete(id);
    }
  }

  async function page(cursor: string, token: string, signal: AbortSignal) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await im.sync({ cursor, page: token, limit: 500 }, { signal });
      } catch (error) {
        const failure = toClientError(error, signal);
        const final = !(failure instanceof ParleyClientError) || !failure.retryable;
        if (final || attempt >= TRIES) throw failure;
        await env.sleep(Math.max(backoff(env, attempt - 1), failure.retryAfterMs ?? 0), signal);
      }
    }
  }

  /** A cursor says nothing of anybody else's inbox, so it is kept with its owner. */
  async function keptCursor(): Promise<string> {
    const [owner, cursor] = ((await cursors.load()) ?? '').split(' ');
    return owner === self() ? (cursor ?? '') : '';
  }

  async function oneRun(signal: AbortSignal, from?: string): Promise<void> {
    const owner = self();
    const cursor = from ?? (await keptCursor());
    try {
      for (let token = ''; ; ) {
        const answer = await page(cursor, token, signal);
        signal.throwIfAborted();
        for (const event of answer.events) push(event);
        if (answer.complete) return await cursors.save(`${owner} ${answer.cursor}`); // only now is everything before it here
        token = answer.nextPage;
      }
    } catch (error) {
      // a cursor of another server, or one too old: begin as a new device does
      const useless = cursor !== '' && error instanceof ParleyClientError && error.code === 'im.cursor_invalid';
      if (!useless) throw error;
      return oneRun(signal, '');
    }
  }

  function stop(): void {
    stopping.abort(closedReason());
    stopping = new AbortController();
    running = undefined;
    again = false;
  }

  return {
    push,
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onMoved(listener) {
      movedListeners.add(listener);
      return () => void movedListeners.delete(listener);
    },
    sync(signal) {
      if (running) again = true;
      else {
        const { signal: stopped } = stopping;
        const mine = (async () => {
          do {
            again = false;
            await oneRun(stopped);
          } while (again);
        })().finally(() => running === mine && (running = undefined));
        running = mine;
      }
      return unlessAborted(running, signal);
    },
    stop,
    forget() {
      stop();
      seen.clear();
    },
  };
}
