import type { Channel, HeldLock, LeaderLock } from './ports.ts';
import type { SharedStore } from './shared-store.ts';
import { createTabs, type Leadership, type Tabs, type TabsOptions } from './tabs.ts';

/** A browser in memory: a channel, a lock and a clock for its tabs. */
export interface FakeBrowser {
  /** Opens a tab. `lead` counts what its leadership is asked to do. */
  tab(id: string, options?: Partial<TabsOptions>): FakeTab;
  /** Lets everything happen that is due within `ms`. */
  advance(ms: number): Promise<void>;
  /** Messages posted so far. */
  readonly posted: readonly { readonly from: string; readonly t: string }[];
}

/** A tab of {@link FakeBrowser}. */
export interface FakeTab {
  readonly tabs: Tabs;
  readonly calls: string[];
  readonly notes: unknown[];
  /** Leaderships that began and ended here. */
  readonly led: { began: number; ended: number };
  /** The tab is gone without a word; the browser gives its lock on. */
  crash(): void;
  /** The tab hears and says nothing until it is thawed; it keeps its lock. */
  freeze(): void;
  thaw(): void;
}

interface Waiter {
  readonly grant: () => void;
}

/** See {@link FakeBrowser}. */
export function fakeBrowser(): FakeBrowser {
  let now = 0;
  let timers: { readonly at: number; readonly callback: () => void }[] = [];
  const hearers = new Map<string, (message: unknown) => void>();
  const frozen = new Map<string, unknown[]>();
  const posted: { from: string; t: string }[] = [];
  let holder: { readonly tab: string; readonly end: () => void } | undefined;
  let queue: (Waiter & { readonly tab: string })[] = [];
  const settle = async () => {
    for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve));
  };

  function grantNext(): void {
    holder = undefined;
    queue.shift()?.grant();
  }

  const lockOf = (tab: string): LeaderLock => ({
    acquire: ({ steal, signal }) =>
      new Promise<HeldLock>((resolve, reject) => {
        const grant = () => {
          let end = () => undefined as void;
          const ended = new Promise<void>(done => (end = done));
          const mine = { tab, end };
          holder = mine;
          const release = () => {
            end();
            if (holder === mine) grantNext();
          };
          resolve({ release, ended });
        };
        if (steal) {
          holder?.end();
          return grant();
        }
        const waiter = { tab, grant };
        signal.addEventListener('abort', () => {
          queue = queue.filter(one => one !== waiter);
          reject(signal.reason as Error);
        });
        if (holder) queue.push(waiter);
        else grant();
      }),
  });

  const channelOf = (tab: string): Channel => ({
    post(message) {
      const copy = structuredClone(message) as { from: string; t: string };
      if (frozen.has(tab) || !hearers.has(tab)) return;
      posted.push(copy);
      for (const [other, hear] of hearers) {
        if (other === tab) continue;
        const kept = frozen.get(other);
        if (kept) kept.push(copy);
        else setImmediate(() => hearers.get(other) === hear && hear(structuredClone(copy)));
      }
    },
    onMessage: listener => void hearers.set(tab, listener),
    close: () => void hearers.delete(tab),
  });

  return {
    posted,
    tab(id, options = {}) {
      const calls: string[] = [];
      const notes: unknown[] = [];
      const led = { began: 0, ended: 0 };
      const lead = (store: SharedStore): Leadership => {
        led.began++;
        store.set('leader', id);
        return {
          async call(method, args) {
            calls.push(`${method} ${args.join(' ')}`.trim());
            if (method === 'fail') throw { code: 'im.text_empty', params: {} };
            if (method === 'never') return new Promise(() => undefined);
            store.set(String(args[0]), args[1]);
            return `${id} did ${method}`;
          },
          note: value => void notes.push(value),
          stop: () => void led.ended++,
        };
      };
      let count = 0;
      const tabs = createTabs({
        tabId: id,
        channel: channelOf(id),
        lock: lockOf(id),
        lead,
        refusalOf: error => error as never,
        after(ms, callback) {
          const timer = { at: now + ms, callback: () => hearers.has(id) && !frozen.has(id) && callback() };
          timers.push(timer);
          return () => void (timers = timers.filter(one => one !== timer));
        },
        visible: () => true,
        uuid: () => `${id}-${++count}`,
        ...options,
      });
      return {
        tabs,
        calls,
        notes,
        led,
        crash() {
          hearers.delete(id);
          queue = queue.filter(one => one.tab !== id);
          if (holder?.tab === id) grantNext();
        },
        freeze: () => void frozen.set(id, []),
        thaw() {
          const kept = frozen.get(id) ?? [];
          frozen.delete(id);
          for (const message of kept) hearers.get(id)?.(message);
        },
      };
    },
    async advance(ms) {
      await settle();
      const until = now + ms;
      for (;;) {
        const next = timers.filter(timer => timer.at <= until).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers = timers.filter(timer => timer !== next);
        now = next.at;
        next.callback();
        await settle();
      }
      now = until;
      await settle();
    },
  };
}
