import type { Clock } from '@parley/runtime';
import type { ImConfig } from '../config.ts';
import type { Person } from '../domain/person.ts';
import { imErrors } from '../errors.ts';
import type { Telemetry } from '../events.ts';
import type { PersonSource } from '../ports/people.ts';

const MOST_IDS = 500;
const ATTEMPTS = 3;

type Settings = Pick<ImConfig, 'peopleStaleMs' | 'peopleRefreshMs' | 'peopleUnknownMs' | 'peopleCached'>;

export interface PeopleCacheDeps {
  readonly clock: Clock;
  readonly source: PersonSource;
  readonly settings: Settings;
  readonly telemetry: Telemetry;
}

interface Entry {
  readonly person: Person | undefined;
  /** When the question was asked. */
  readonly at: number;
}

interface Invalidation {
  readonly version: number;
  readonly at: number;
  /** Which one it was. */
  readonly turn: number;
}

/**
 * What is known of people, so that a warm send asks nobody. Nothing is served beyond `peopleStaleMs`, nor after an
 * invalidation; an answer that was on its way when one arrived, or is older than it, is thrown away.
 */
export class PeopleCache {
  readonly #deps: PeopleCacheDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #invalidated = new Map<string, Invalidation>();
  readonly #asked = new Map<string, Promise<void>>();
  #batch: { ids: string[]; done: Promise<void> } | undefined;
  #generation = 0;
  #turn = 0;

  constructor(deps: PeopleCacheDeps) {
    this.#deps = deps;
  }

  /** The entry if it can be relied on; `person` is undefined when the id is nobody's. */
  warm(id: string): { readonly person: Person | undefined } | undefined {
    const entry = this.#entries.get(id);
    if (!entry) return undefined;
    const { settings, clock } = this.#deps;
    const age = clock.monotonic() - entry.at;
    if (age > (entry.person ? settings.peopleStaleMs : settings.peopleUnknownMs)) return undefined;
    if (age > settings.peopleRefreshMs) this.#ask(id).catch(() => undefined);
    return entry;
  }

  /** Whoever has `id`, if that was learnt within `maxAgeMs` and nothing was announced since. Asks nobody. */
  known(id: string, maxAgeMs: number): Person | undefined {
    const entry = this.#entries.get(id);
    return entry && this.#deps.clock.monotonic() - entry.at <= maxAgeMs ? entry.person : undefined;
  }

  /** Those with `ids`, in their order, fetched unless warm. Throws `im.directory_unavailable`. */
  async load(ids: readonly string[]): Promise<readonly (Person | undefined)[]> {
    let cause: unknown;
    for (let attempt = 0; ; attempt++) {
      const entries = ids.map(id => this.warm(id));
      if (entries.every(entry => entry !== undefined)) return entries.map(entry => entry.person);
      if (attempt === ATTEMPTS) break;
      try {
        await Promise.all(ids.filter((_, i) => !entries[i]).map(id => this.#ask(id)));
      } catch (error) {
        cause = error;
      }
    }
    throw imErrors('im.directory_unavailable', { retryAfterMs: 1_000, cause });
  }

  /** What is known of a person is stale; answers from `version` on are fresh. */
  invalidate(id: string, version: number): void {
    const known = this.#invalidated.get(id)?.version ?? 0;
    this.#invalidated.delete(id);
    const at = this.#deps.clock.monotonic();
    this.#invalidated.set(id, { version: Math.max(version, known), at, turn: ++this.#turn });
    this.#entries.delete(id);
    this.#forgetOldInvalidations();
  }

  /** Everything may be stale. */
  clear(): void {
    this.#generation++;
    this.#entries.clear();
  }

  #forgetOldInvalidations(): void {
    const oldest = this.#deps.clock.monotonic() - this.#deps.settings.peopleStaleMs;
    for (const [id, invalidation] of this.#invalidated) {
      if (invalidation.at >= oldest) return;
      this.#invalidated.delete(id);
    }
  }

  /** One question for all that are asked for in the same turn. */
  #ask(id: string): Promise<void> {
    const asked = this.#asked.get(id);
    if (asked) return asked;
    let batch = this.#batch;
    if (!batch) {
      const ids: string[] = [];
      const done = Promise.resolve().then(() => {
        this.#batch = undefined;
        return this.#fetch(ids);
      });
      batch = { ids, done };
      this.#batch = batch;
    }
    batch.ids.push(id);
    if (batch.ids.length >= MOST_IDS) this.#batch = undefined;
    const done = batch.done.finally(() => this.#asked.delete(id));
    this.#asked.set(id, done);
    return done;
  }

  async #fetch(ids: readonly string[]): Promise<void> {
    const { source, clock, telemetry } = this.#deps;
    const at = clock.monotonic();
    const generation = this.#generation;
    const turn = this.#turn;
    let found: Map<string, Person>;
    try {
      found = new Map((await source.fetch(ids)).map(person => [person.id, person]));
    } catch (cause) {
      telemetry.peopleFetched('failed', ids.length, cause);
      throw cause;
    }
    let discarded = 0;
    for (const id of ids) {
      const person = found.get(id);
      if (generation === this.#generation && this.#fresh(id, person, turn)) this.#put(id, { person, at });
      else discarded++;
    }
    telemetry.peopleFetched('ok', ids.length - discarded);
    if (discarded > 0) telemetry.peopleFetched('discarded', discarded);
  }

  #fresh(id: string, person: Person | undefined, askedAfter: number): boolean {
    const invalidation = this.#invalidated.get(id);
    if (!invalidation) return true;
    return invalidation.turn <= askedAfter && (person === undefined || person.version >= invalidation.version);
  }

  #put(id: string, entry: Entry): void {
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    if (this.#entries.size <= this.#deps.settings.peopleCached) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }
}
