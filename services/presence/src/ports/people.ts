import type { PersonDoc } from '../domain/person.ts';

/** Documents of people, as the use cases need them. Failures are `presence.store_unavailable` or `presence.outcome_unknown`. */
export interface People {
  get(id: string): Promise<PersonDoc | undefined>;
  /** In no order; those that exist. */
  getMany(ids: readonly string[]): Promise<readonly PersonDoc[]>;
  /**
   * Stores a document if nobody changed it since it was read (`_rev`; none for a new one). Resolves with the document
   * as stored, or with undefined when somebody did.
   */
  save(doc: PersonDoc): Promise<PersonDoc | undefined>;
  /** People whom time alone changes by `now`, most overdue first. */
  due(now: number, limit: number): Promise<readonly PersonDoc[]>;
  /** When time alone changes somebody next; undefined when it changes nobody. */
  nextChange(): Promise<number | undefined>;
  /** A page of the people with an endpoint at `pod`. */
  ofPod(
    pod: string,
    after?: string,
  ): Promise<{ readonly docs: readonly PersonDoc[]; readonly next: string | undefined }>;
  /** How many those are. */
  countOfPod(pod: string): Promise<number>;
}
