import { DirectoryInternalService, type Principal } from '@parley/contracts/directory/v1/internal';
import { type Channel, type Client, createClient } from '@parley/rpc';
import type { Clock } from '@parley/runtime';
import type { PresenceConfig } from '../../config.ts';
import type { Watcher } from '../../domain/access.ts';
import { err } from '../../errors.ts';
import type { PresenceEvents } from '../../events.ts';
import type { WatcherMemory, Watchers } from '../../ports/watchers.ts';

interface Known {
  /** Undefined: nobody, or disabled; neither is remembered for long. */
  readonly watcher: Watcher | undefined;
  readonly roles: readonly number[];
  readonly at: number;
}

interface Question {
  readonly answer: Promise<Known>;
  readonly resolve: (known: Known) => void;
  readonly reject: (reason: unknown) => void;
}

/** Ids of one question, as the contract limits it. */
const MOST_IDS = 500;
/** Invalidations remembered against answers under way. */
const MOST_VERSIONS = 10_000;
/** Somebody just created must not stay unknown for long, should the announcement get lost. */
const UNKNOWN_MS = 5000;
/** Answers in a row that may be older than an invalidation. */
const STALE_ANSWERS = 3;

type Limits = Pick<
  PresenceConfig,
  'principalMaxAgeMs' | 'ownerSilenceMs' | 'directoryTimeoutMs' | 'principalCacheEntries'
>;

/**
 * Watchers as the directory knows them, remembered until it announces a change. Without a word of the directory for
 * `ownerSilenceMs` nothing remembered is trusted: it is asked, and when it does not answer nobody sees anything.
 */
export class DirectoryWatchers implements Watchers, WatcherMemory {
  readonly #directory: Client<typeof DirectoryInternalService>;
  readonly #clock: Clock;
  readonly #hearing: () => boolean;
  readonly #limits: Limits;
  readonly #events: PresenceEvents;
  readonly #known = new Map<string, Known>();
  readonly #versions = new Map<string, { readonly version: number; readonly sequence: number }>();
  #asking = new Map<string, Question>();
  #sequence = 0;
  #allSince = 0;
  #lastAnswer = Number.NEGATIVE_INFINITY;

  /** While not `hearing` of changes, nobody is remembered for longer than the directory may be silent. */
  constructor(channel: Channel, clock: Clock, hearing: () => boolean, limits: Limits, events: PresenceEvents) {
    this.#directory = createClient(DirectoryInternalService, channel);
    this.#clock = clock;
    this.#hearing = hearing;
    this.#limits = limits;
    this.#events = events;
  }

  async require(id: string): Promise<Watcher> {
    const watcher = await this.find(id);
    if (watcher) return watcher;
    this.#events.watcherRefused();
    throw err('presence.watcher_refused');
  }

  async find(id: string): Promise<Watcher | undefined> {
    return (await this.#trusted(id)).watcher;
  }

  async holds(id: string, roles: readonly number[]): Promise<boolean> {
    const known = await this.#trusted(id);
    return known.watcher !== undefined && known.roles.some(role => roles.includes(role));
  }

  disabled(id: string): boolean | Promise<boolean> {
    const known = this.#known.get(id);
    if (known && this.#isRecent(known)) return known.watcher === undefined;
    return this.#ask(id).then(
      ({ watcher }) => watcher === undefined,
      () => false,
    );
  }

  invalidate(id: string, version: number): void {
    this.#known.delete(id);
    if (this.#versions.size >= MOST_VERSIONS) return this.invalidateAll();
    this.#versions.set(id, { version, sequence: ++this.#sequence });
  }

  invalidateAll(): void {
    this.#known.clear();
    this.#versions.clear();
    this.#allSince = ++this.#sequence;
  }

  async #trusted(id: string): Promise<Known> {
    const known = this.#known.get(id);
    return known && this.#isTrusted(known) ? known : this.#ask(id);
  }

  #isTrusted(known: Known): boolean {
    return this.#clock.monotonic() - this.#lastAnswer <= this.#limits.ownerSilenceMs && this.#isRecent(known);
  }

  #isRecent(known: Known): boolean {
    const { principalMaxAgeMs, ownerSilenceMs } = this.#limits;
    const longest = this.#hearing() ? principalMaxAgeMs : Math.min(principalMaxAgeMs, ownerSilenceMs);
    return this.#clock.monotonic() - known.at < (known.watcher ? longest : Math.min(longest, UNKNOWN_MS));
  }

  /** Everybody asked for in one turn of the event loop is asked for at once. */
  #ask(id: string): Promise<Known> {
    let question = this.#asking.get(id);
    if (!question) {
      const { promise, resolve, reject } = Promise.withResolvers<Known>();
      question = { answer: promise, resolve, reject };
      this.#asking.set(id, question);
      if (this.#asking.size === 1) queueMicrotask(() => this.#flush());
      else if (this.#asking.size >= MOST_IDS) this.#flush();
    }
    return question.answer;
  }

  #flush(): void {
    const questions = this.#asking;
    if (questions.size === 0) return;
    this.#asking = new Map();
    void this.#answer(questions, STALE_ANSWERS);
  }

  async #answer(questions: ReadonlyMap<string, Question>, attempts: number): Promise<void> {
    const begun = this.#sequence;
    try {
      const { directoryTimeoutMs: timeoutMs } = this.#limits;
      const { principals } = await this.#directory.getPrincipals({ ids: [...questions.keys()] }, { timeoutMs });
      this.#lastAnswer = this.#clock.monotonic();
      const found = new Map(principals.map(p => [p.id, p]));
      const stale = new Map<string, Question>();
      for (const [id, question] of questions) {
        const principal = found.get(id);
        if (this.#isStale(id, principal, begun)) stale.set(id, question);
        else question.resolve(this.#keep(id, principal));
      }
      if (stale.size === 0) return;
      if (attempts <= 1) throw new Error('the directory answers with versions older than it announced');
      await this.#answer(stale, attempts - 1);
    } catch (cause) {
      this.#events.directoryFailed(cause);
      const error = err('presence.directory_unavailable', { cause, retryAfterMs: 1000 });
      for (const question of questions.values()) question.reject(error);
    }
  }

  #isStale(id: string, principal: Principal | undefined, begun: number): boolean {
    if (this.#allSince > begun) return true;
    const invalidated = this.#versions.get(id);
    if (!invalidated) return false;
    if (principal) return Number(principal.version) < invalidated.version;
    return invalidated.sequence > begun;
  }

  #keep(id: string, principal: Principal | undefined): Known {
    const { principalCacheEntries } = this.#limits;
    const watcher = principal?.enabled ? watcherOf(principal) : undefined;
    const known: Known = { watcher, roles: principal?.roles ?? [], at: this.#clock.monotonic() };
    this.#known.delete(id);
    if (this.#known.size >= principalCacheEntries) this.#known.delete(this.#known.keys().next().value as string);
    this.#known.set(id, known);
    return known;
  }
}

function watcherOf(principal: Principal): Watcher {
  const at = principal.primaryAddress.lastIndexOf('@');
  return {
    id: principal.id,
    internal: principal.internal,
    domain: principal.primaryAddress.slice(at + 1).toLowerCase(),
  };
}
