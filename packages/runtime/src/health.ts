/** Result of one check; `detail` says in English what is wrong and is safe to show. */
export interface HealthReport {
  readonly ok: boolean;
  readonly detail?: string;
}

/**
 * Readiness of the process. A process is ready when every registered check says so and it is not stopping; it is alive
 * as long as its event loop turns.
 */
export interface Health {
  /** Adds a check under a unique name; the returned function removes it. Checks must answer from memory, at once. */
  register(name: string, check: () => HealthReport): () => void;
  /** From now on not ready: the process is about to stop. */
  draining(): void;
  /** Every check's report and the verdict. */
  ready(): { readonly ok: boolean; readonly checks: Readonly<Record<string, HealthReport>> };
}
