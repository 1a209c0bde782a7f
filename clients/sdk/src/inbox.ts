import type { Client } from '@connectrpc/connect';
import type { ImEvent, ImService } from '@parley/contracts/im/v1/im';
import { backoff, type ClientEnvironment } from './environment.ts';
import { callSafely } from './store.ts';

/** Where the cursor of the last complete synchronisation is kept. */
export interface CursorStore {
  load(): Promise<string | undefined>;
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
  /** Synchronises; a call during a run makes one more run follow it. Rejects when it cannot finish. */
  sync(signal?: AbortSignal): Promise<void>;
  /** Calls `listener` for every event, once each. Events of one conversation can come late: order them by key. */
  onEvent(listener: (event: ImEvent) => void): () => void;
}

/** How many ids are remembered to drop repetitions. */
const REMEMBERED = 20_000;

/** See {@link Inbox}. */
export function createInbox(im: Client<typeof ImService>, cursors: CursorStore, env: ClientEnvironment): Inbox {
  const listeners = new Set<(event: ImEvent) => void>();
  const seen = new Set<string>();
  let running: Promise<void> | undefined;
  let again = false;

  function push(event: ImEvent): void {
    if (seen.has(event.id)) return;
    seen.add(event.id);
    if (seen.size > REMEMBERED) for (const oldest of seen) if (seen.size > REMEMBERED * 0.9) seen.delete(oldest);
    for (const listener of [...listeners]) callSafely(listener, event);
  }

  async function oneRun(signal: AbortSignal | undefined): Promise<void> {
    const cursor = (await cursors.load()) ?? '';
    for (let page = '', attempt = 0; ; ) {
      try {
        const answer = await im.sync({ cursor, page, limit: 500 }, signal ? { signal } : {});
        for (const event of answer.events) push(event);
        attempt = 0;
        if (answer.complete) return await cursors.save(answer.cursor); // only now is everything before it here
        page = answer.nextPage;
      } catch (error) {
        if (signal?.aborted || attempt >= 5) throw error;
        await env.sleep(backoff(env, attempt++), signal);
      }
    }
  }

  return {
    push,
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    sync(signal) {
      if (running) {
        again = true;
        return running;
      }
      running = (async () => {
        do {
          again = false;
          await oneRun(signal);
        } while (again);
      })().finally(() => (running = undefined));
      return running;
    },
  };
}
