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

/** Readiness of this process. */
export function createHealth(): Health {
  const checks = new Map<string, () => HealthReport>();
  let stopping = false;
  return {
    register(name, check) {
      if (checks.has(name)) throw new Error(`a health check named ${name} is registered already`);
      checks.set(name, check);
      return () => {
        if (checks.get(name) === check) checks.delete(name);
      };
    },
    draining() {
      stopping = true;
    },
    ready() {
      const reports: Record<string, HealthReport> = {};
      let ok = !stopping;
      if (stopping) reports.process = { ok: false, detail: 'the process is stopping' };
      for (const [name, check] of checks) {
        const report = run(check);
        reports[name] = report;
        ok &&= report.ok;
      }
      return { ok, checks: reports };
    },
  };
}

/** A check that throws is a failed check; what it threw may hold secrets, so only its kind is shown. */
function run(check: () => HealthReport): HealthReport {
  try {
    return check();
  } catch (error) {
    return { ok: false, detail: `the check failed: ${error instanceof Error ? error.name : 'unknown'}` };
  }
}
