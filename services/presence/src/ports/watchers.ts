import type { Watcher } from '../domain/access.ts';

/** Who looks. */
export interface Watchers {
  /**
   * An enabled person. Throws `presence.watcher_refused` for anybody else and `presence.directory_unavailable` when
   * that cannot be decided.
   */
  require(id: string): Promise<Watcher>;
  /** The same, but undefined for anybody who is not an enabled person. */
  find(id: string): Promise<Watcher | undefined>;
  /**
   * Whether somebody is known to be disabled or nobody, however valid his token is. A promise when it has to be asked;
   * false as long as nobody can say.
   */
  disabled(id: string): boolean | Promise<boolean>;
  /**
   * Whether an enabled person holds one of `roles` now, whatever his token says. Throws `presence.directory_unavailable`
   * when that cannot be decided.
   */
  holds(id: string, roles: readonly number[]): Promise<boolean>;
}

/** What is remembered of watchers. */
export interface WatcherMemory {
  /** What is known of somebody is older than `version`: ask again, and discard answers that are older. */
  invalidate(id: string, version: number): void;
  /** Anything may be stale. */
  invalidateAll(): void;
}
