import { type CountingState, nothingCounted } from './counting.ts';
import type { FailedMessage } from './messages.ts';
import type { PersonInfo } from './state.ts';

/** What this browser remembers of a person who signs in. No text that somebody else wrote is kept. */
export interface LocalData {
  readonly version: 1;
  readonly counting: CountingState;
  readonly pins: readonly string[];
  /** People with whom there are messages and when the last one was, the most recent first. */
  readonly recent: readonly (readonly [personId: string, lastMs: number])[];
  /** Names of those people, to show before the server has answered. */
  readonly people: Readonly<Record<string, PersonInfo>>;
  /** Own messages that were refused, by recipient. */
  readonly failed: Readonly<Record<string, readonly FailedMessage[]>>;
}

const EMPTY: LocalData = { version: 1, counting: nothingCounted, pins: [], recent: [], people: {}, failed: {} };

/** {@link LocalData} in Web Storage; written a little later, many changes at once. */
export interface LocalStore {
  get(): LocalData;
  update(change: (data: LocalData) => LocalData): void;
  /** Writes what has changed now. */
  flush(): void;
  /** Forgets what a person who signs out leaves behind; pins and read marks stay for the next time. */
  signedOut(): void;
}

const WRITE_AFTER_MS = 200;

/** See {@link LocalStore}. `counting` is asked when it is time to write. */
export function createLocalStore(
  storage: Pick<Storage, 'getItem' | 'setItem'>,
  personId: string,
  after: (ms: number, callback: () => void) => () => void,
  counting: (initial: CountingState) => () => CountingState,
): LocalStore {
  const key = `parley.person.${personId}`;
  let data = parse(storage.getItem(key));
  let later: (() => void) | undefined;
  const currentCounting = counting(data.counting);

  function flush(): void {
    later?.();
    later = undefined;
    data = { ...data, counting: currentCounting() };
    try {
      storage.setItem(key, JSON.stringify(data));
    } catch {
      // the browser has no room: this page goes on, the next one begins with what was kept last
    }
  }
  const update = (change: (data: LocalData) => LocalData) => {
    data = change(data);
    later ??= after(WRITE_AFTER_MS, flush);
  };

  return {
    get: () => data,
    update,
    flush,
    signedOut() {
      update(data => ({ ...data, people: {}, failed: {} }));
      flush();
    },
  };
}

function parse(text: string | null): LocalData {
  if (text === null) return EMPTY;
  try {
    const value = JSON.parse(text) as LocalData;
    return value.version === 1 ? { ...EMPTY, ...value } : EMPTY;
  } catch {
    return EMPTY;
  }
}
