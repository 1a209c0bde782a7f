/** A way to all other tabs of this origin; what one posts, every other one hears, in order. */
export interface Channel {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  close(): void;
}

/** Leadership that is held. */
export interface HeldLock {
  release(): void;
  /** Resolves when the lock is no longer held: released, or stolen. */
  readonly ended: Promise<void>;
}

/** A lock that one tab at a time holds. */
export interface LeaderLock {
  /** Resolves when the lock is had; `steal` takes it from whoever holds it. Rejects when the signal is aborted. */
  acquire(options: { readonly steal: boolean; readonly signal: AbortSignal }): Promise<HeldLock>;
}

/** BroadcastChannel, as a {@link Channel}. */
export function broadcastChannel(name: string): Channel {
  const channel = new BroadcastChannel(name);
  return {
    post: message => channel.postMessage(message),
    onMessage: listener => channel.addEventListener('message', event => listener(event.data)),
    close: () => channel.close(),
  };
}

/** Web Locks, as a {@link LeaderLock}: the browser gives the lock on when its tab closes or crashes. */
export function webLock(name: string, locks: LockManager = navigator.locks): LeaderLock {
  return {
    acquire: ({ steal, signal }) =>
      new Promise((resolve, reject) => {
        let ended: Promise<void> = Promise.resolve();
        const hold = () => new Promise<void>(release => resolve({ release, ended }));
        ended = locks.request(name, steal ? { steal } : { signal }, hold).then(
          () => undefined,
          (error: unknown) => reject(error as Error), // stolen, or never had
        );
      }),
  };
}
