import type { Person } from '../domain/person.ts';

/** Who people are, asked from whoever knows. */
export interface PersonSource {
  /** Those of `ids` (1 to 500) that are somebody's. Rejects when there is no answer. */
  fetch(ids: readonly string[]): Promise<readonly Person[]>;
}
