import { type Channel, type HeldLock, type LeaderLock } from './ports.ts';
import { CommandError, PROTOCOL, type Refusal, type TabMessage } from './protocol.ts';
import { createSharedStore, type SharedStore } from './shared-store.ts';

/** What the leading tab does for all. */
export interface Leadership {
  /** Carries out a command of any tab. */
  call(method: string, args: readonly unknown[]): Promise<unknown>;
  /** Takes note of something a tab said. */
  note(value: unknown): void;
  /** Another tab leads from now on. */
  stop(): void;
}

/** How a tab stands among the tabs of this browser. */
export type TabRole = 'joining' | 'leader' | 'follower' | 'outdated';

/** Settings of {@link createTabs}; times in milliseconds. */
export interface TabsOptions {
  readonly tabId: string;
  readonly channel: Channel;
  readonly lock: LeaderLock;
  /** Begins to lead; `store` holds what the leader before knew. */
  readonly lead: (store: SharedStore) => Leadership;
  /** Says why a command failed. */
  readonly refusalOf: (error: unknown) => Refusal;
  /** Calls back after `ms`; returns what cancels it. */
  readonly after: (ms: number, callback: () => void) => () => void;
  /** Whether somebody looks at this tab: a hidden one never takes the lead away. */
  readonly visible: () => boolean;
  readonly uuid: () => string;
  /** Only for tests of what later versions do. */
  readonly protocol?: number;
}

/** All tabs of one browser as one client: one of them leads, the others show what it knows and ask it to act. */
export interface Tabs {
  readonly store: SharedStore;
  role(): TabRole;
  onRole(listener: () => void): () => void;
  /** Has the leader carry out a command, whoever that is by then. Commands must bear being carried out twice. */
  call(method: string, ...args: unknown[]): Promise<unknown>;
  /** Tells the leader something, at most once. */
  note(value: unknown): void;
  /** Leaves: gives the lead on, if it is held here. */
  close(): void;
}

/** How long a leader may take to say that it heard. */
const PATIENCE_MS = 5_000;
/** Commands remembered to carry out a repeated one once. */
const REMEMBERED = 1_000;

interface Waiting {
  readonly id: string;
  readonly method: string;
  readonly args: unknown[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  /** Stops the wait for `taken`. */
  patience: () => void;
}

/** See {@link Tabs}. */
export function createTabs(options: TabsOptions): Tabs {
  const { tabId, channel, lock, after } = options;
  const protocol = options.protocol ?? PROTOCOL;
  const store = createSharedStore();
  const listeners = new Set<() => void>();
  const waiting = new Map<string, Waiting>();
  const closed = new AbortController();
  let role: TabRole = 'joining';
  let leader: string | undefined;
  let seq = 0;
  let leadership: Leadership | undefined;
  let held: HeldLock | undefined;
  let candidacy = new AbortController();
  let greeting: (() => void) | undefined;
  const carriedOut = new Map<string, Promise<unknown>>();

  type Body = TabMessage extends infer M ? (M extends TabMessage ? Omit<M, 'v' | 'from'> : never) : never;
  const post = (body: Body) => channel.post({ v: protocol, from: tabId, ...body });

  function become(next: TabRole): void {
    if (role === next) return;
    role = next;
    for (const listener of [...listeners]) listener();
  }

  // following

  function greet(): void {
    if (greeting) return;
    greeting = after(PATIENCE_MS, () => {
      greeting = undefined;
      takeOver(); // nobody answered
    });
    post({ t: 'hello' });
  }

  function stopGreeting(): void {
    greeting?.();
    greeting = undefined;
  }

  function adopt(from: string, at: number, entries: [string, unknown][]): void {
    stopGreeting();
    const another = leader !== from;
    leader = from;
    seq = at;
    store.replace(entries);
    become('follower');
    if (another) for (const call of waiting.values()) ask(call);
  }

  function ask(call: Waiting): void {
    call.patience();
    if (leadership) return void carryOutHere(call);
    if (leader === undefined) return; // when there is one
    call.patience = after(PATIENCE_MS, takeOver);
    post({ t: 'call', to: leader, id: call.id, method: call.method, args: call.args });
  }

  function settle(id: string, how: (call: Waiting) => void): void {
    const call = waiting.get(id);
    if (!call) return;
    waiting.delete(id);
    call.patience();
    how(call);
  }

  // leading

  async function stand(steal: boolean): Promise<void> {
    candidacy.abort();
    const mine = new AbortController();
    candidacy = mine;
    let got: HeldLock;
    try {
      got = await lock.acquire({ steal, signal: AbortSignal.any([mine.signal, closed.signal]) });
    } catch {
      return;
    }
    if (mine.signal.aborted || closed.signal.aborted) return got.release();
    held = got;
    void got.ended.then(() => held === got && demote());
    startLeading();
  }

  function takeOver(): void {
    if (closed.signal.aborted || leadership || role === 'outdated') return;
    if (options.visible()) void stand(true);
    else {
      stopGreeting();
      greet(); // somebody will look, or answer
    }
  }

  function startLeading(): void {
    stopGreeting();
    leader = tabId;
    seq = 0;
    leadership = options.lead(store);
    post({ t: 'state', seq, entries: store.entries() });
    store.onChanges(changes => post({ t: 'patch', seq: ++seq, changes }));
    become('leader');
    for (const call of waiting.values()) ask(call);
  }

  function demote(): void {
    held = undefined;
    store.onChanges(undefined);
    leadership?.stop();
    leadership = undefined;
    leader = undefined;
    if (closed.signal.aborted) return;
    become('joining');
    greet();
    void stand(false);
  }

  /** A command that came twice, because its tab saw the leader change, is carried out once. */
  function carryOut(id: string, method: string, args: readonly unknown[]): Promise<unknown> {
    const known = carriedOut.get(id);
    if (known) return known;
    const now = (async () => leadership?.call(method, args))();
    carriedOut.set(id, now);
    for (const oldest of carriedOut.keys()) {
      if (carriedOut.size <= REMEMBERED) break;
      carriedOut.delete(oldest);
    }
    return now;
  }

  async function carryOutHere({ id, method, args }: Waiting): Promise<void> {
    try {
      const value = await carryOut(id, method, args);
      settle(id, call => call.resolve(value));
    } catch (error) {
      settle(id, call => call.reject(new CommandError(options.refusalOf(error))));
    }
  }

  async function carryOutFor(to: string, id: string, method: string, args: readonly unknown[]): Promise<void> {
    post({ t: 'taken', to, id });
    try {
      post({ t: 'done', to, id, value: await carryOut(id, method, args) });
    } catch (error) {
      post({ t: 'refused', to, id, refusal: options.refusalOf(error) });
    }
  }

  function hear(message: TabMessage): void {
    if (message.v !== protocol) return meetOther(message);
    switch (message.t) {
      case 'hello':
        if (leadership) post({ t: 'state', to: message.from, seq, entries: store.entries() });
        break;
      case 'state':
        if (leadership || (message.to !== undefined && message.to !== tabId)) break;
        adopt(message.from, message.seq, message.entries);
        break;
      case 'patch':
        if (leadership) break;
        if (message.from !== leader || message.seq !== seq + 1 || !store.apply(message.changes)) greet();
        else seq = message.seq;
        break;
      case 'call':
        if (leadership && message.to === tabId)
          void carryOutFor(message.from, message.id, message.method, message.args);
        break;
      case 'taken':
        if (message.to === tabId) waiting.get(message.id)?.patience();
        break;
      case 'done':
        if (message.to === tabId) settle(message.id, call => call.resolve(message.value));
        break;
      case 'refused':
        if (message.to === tabId) settle(message.id, call => call.reject(new CommandError(message.refusal)));
        break;
      case 'note':
        leadership?.note(message.value);
        break;
    }
  }

  /** Tabs of two versions: the newer one leads, the older one has to be loaded anew. */
  function meetOther(message: TabMessage): void {
    if (message.v < protocol) {
      if (message.t === 'state' && !leadership) void stand(true);
      return;
    }
    if (role === 'outdated') return;
    candidacy.abort();
    stopGreeting();
    store.onChanges(undefined);
    leadership?.stop();
    leadership = undefined;
    held?.release();
    held = undefined;
    become('outdated');
  }

  channel.onMessage(message => !closed.signal.aborted && hear(message as TabMessage));
  greet();
  void stand(false);

  return {
    store,
    role: () => role,
    onRole(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    call: (method, ...args) =>
      new Promise((resolve, reject) => {
        const call: Waiting = { id: options.uuid(), method, args, resolve, reject, patience: () => undefined };
        waiting.set(call.id, call);
        ask(call);
      }),
    note(value) {
      if (leadership) leadership.note(value);
      else post({ t: 'note', value });
    },
    close() {
      stopGreeting();
      for (const call of waiting.values()) call.patience();
      closed.abort();
      const mine = held;
      demote();
      mine?.release();
      channel.close();
    },
  };
}
