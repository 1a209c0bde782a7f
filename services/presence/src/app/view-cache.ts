import type { Level, PersonDoc } from '../domain/person.ts';
import { type StoredView, storedView } from '../domain/views.ts';

/** What is needed of a person to answer who may see what of him. */
export type Seen = Pick<PersonDoc, '_id' | 'acl' | 'members' | 'views' | 'bytes'>;

interface Entry {
  readonly seen: Seen;
  readonly until: number;
}

/** Changes remembered to recognise a read that was overtaken. */
const RECENT = 4096;

/**
 * Views of people, kept for sign-ins that ask for many at once. Own changes go in directly, others' arrive by the bus;
 * an entry lives for a short time, should the bus lose one. What was read before a change was heard of is not kept.
 */
export class ViewCache {
  readonly #limit: number;
  readonly #maxAgeMs: number;
  readonly #now: () => number;
  readonly #hearing: () => boolean;
  readonly #entries = new Map<string, Entry>();
  readonly #recent = new Map<string, number>();
  #sequence = 0;
  #forgotten = 0;

  /** `now` never goes back, milliseconds; while not `hearing` of others' changes, nothing in memory is used. */
  constructor(limit: number, maxAgeMs: number, now: () => number, hearing: () => boolean) {
    this.#limit = limit;
    this.#maxAgeMs = maxAgeMs;
    this.#now = now;
    this.#hearing = hearing;
  }

  get(id: string): Seen | undefined {
    const entry = this.#entries.get(id);
    return entry && entry.until > this.#now() && this.#hearing() ? entry.seen : undefined;
  }

  /** To be called before the store is read; pass the result to `fill`. */
  begin(): number {
    return this.#sequence;
  }

  /** Keeps what was read, unless a change was heard of since `begun`. */
  fill(begun: number, seen: Seen): void {
    if (begun < this.#forgotten || (this.#recent.get(seen._id) ?? 0) > begun) return;
    this.#put(seen);
  }

  /** A change of this process is durable. */
  changed(doc: PersonDoc): void {
    this.#note(doc._id);
    const known = this.#entries.get(doc._id)?.seen;
    // Two changes may be confirmed in the wrong order.
    if (!known || known.acl < doc.acl || newest(known) <= newest(doc)) this.#put(doc);
  }

  /** A change of some process was published. */
  heard(id: string, level: Level, view: StoredView): void {
    this.#note(id);
    const known = this.#entries.get(id)?.seen;
    if (!known) return;
    const before = known.views.length === 1 ? storedView(known, level) : undefined;
    if (!before || known.acl !== view.acl) this.#entries.delete(id);
    else if (before.rev < view.rev)
      this.#put({
        ...known,
        views: [{ level, rev: view.rev, acl: view.acl, size: view.bytes.length }],
        bytes: view.bytes,
      });
  }

  /** Announcements may have been lost. */
  clear(): void {
    this.#entries.clear();
    this.#forgotten = ++this.#sequence;
  }

  get size(): number {
    return this.#entries.size;
  }

  #put({ _id, acl, members, views, bytes }: Seen): void {
    if (this.#limit === 0) return;
    this.#entries.delete(_id);
    if (this.#entries.size >= this.#limit) this.#entries.delete(this.#entries.keys().next().value as string);
    const seen = { _id, acl, ...(members ? { members } : {}), views, bytes };
    this.#entries.set(_id, { seen, until: this.#now() + this.#maxAgeMs });
  }

  #note(id: string): void {
    this.#recent.delete(id);
    if (this.#recent.size >= RECENT) {
      const [oldest, sequence] = this.#recent.entries().next().value as [string, number];
      this.#recent.delete(oldest);
      this.#forgotten = Math.max(this.#forgotten, sequence);
    }
    this.#recent.set(id, ++this.#sequence);
  }
}

const newest = (seen: Seen): number => seen.views.reduce((most, view) => Math.max(most, view.rev), 0);
