import type { Clock } from '@parley/runtime';
import type { ArchivingConfig } from '../config.ts';
import { archivingErrors } from '../errors.ts';
import type { Telemetry } from '../events.ts';
import type { Standing, StandingReader } from '../ports/standings.ts';

export interface StandingsDeps {
  readonly clock: Clock;
  readonly reader: StandingReader;
  readonly settings: Pick<ArchivingConfig, 'roleMaxAgeMs' | 'roleStaleMs'>;
  readonly telemetry: Telemetry;
}

interface Known {
  readonly standing: Standing | undefined;
  readonly at: number;
}

/** People remembered: only those who work with the archive ask it. */
const MOST = 1_000;

/**
 * Who may still do what his token says he may. A token says so for minutes, and the archive is not shown to somebody
 * who lost his role a moment ago: the directory is asked again after seconds.
 */
export class Standings {
  readonly #deps: StandingsDeps;
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<Known>>();

  constructor(deps: StandingsDeps) {
    this.#deps = deps;
  }

  /** Throws `archive.account_disabled`, `archive.role_lost` or, when nobody can say, `archive.directory_unavailable`. */
  async require(personId: string, roles: readonly number[]): Promise<void> {
    const { standing } = await this.#find(personId);
    const code = !standing?.enabled
      ? 'archive.account_disabled'
      : standing.roles.some(role => roles.includes(role))
        ? undefined
        : 'archive.role_lost';
    if (!code) return;
    this.#deps.telemetry.standingRefused(personId, code);
    throw archivingErrors(code);
  }

  /** Whether an enabled person holds one of the roles now. Throws as `require` does when nobody can say. */
  async holds(personId: string, roles: readonly number[]): Promise<boolean> {
    const { standing } = await this.#find(personId);
    return standing?.enabled === true && standing.roles.some(role => roles.includes(role));
  }

  async #find(personId: string): Promise<Known> {
    const { clock, settings } = this.#deps;
    const known = this.#known.get(personId);
    const age = known ? clock.monotonic() - known.at : Number.POSITIVE_INFINITY;
    if (known && age < settings.roleMaxAgeMs) return known;
    try {
      return await this.#ask(personId);
    } catch (cause) {
      if (known && age < settings.roleStaleMs) return known;
      throw archivingErrors('archive.directory_unavailable', { cause, retryAfterMs: 1_000 });
    }
  }

  #ask(personId: string): Promise<Known> {
    let asking = this.#asking.get(personId);
    if (!asking) {
      asking = this.#read(personId).finally(() => this.#asking.delete(personId));
      this.#asking.set(personId, asking);
    }
    return asking;
  }

  async #read(personId: string): Promise<Known> {
    const { clock, reader } = this.#deps;
    const at = clock.monotonic();
    const known = { standing: await reader.read(personId), at };
    this.#known.delete(personId);
    if (this.#known.size >= MOST) this.#known.delete(this.#known.keys().next().value as string);
    this.#known.set(personId, known);
    return known;
  }
}
