import { type Clock, createLoop, type Loop, type Module } from '@parley/runtime';
import type { ImConfig } from '../config.ts';
import { type ArchiveLag, lagProblem, measureLag } from '../domain/archive-lag.ts';
import { admit, type Breaker, closed, failed, succeeded } from '../domain/breaker.ts';
import type { Telemetry } from '../events.ts';
import type { AppendOutcome, ArchiveEntry, ArchiveLog } from '../ports/archive-log.ts';

type Settings = Pick<
  ImConfig,
  'breakerFailures' | 'breakerOpenMs' | 'lagCheckMs' | 'maxArchiveLagRecords' | 'maxArchiveStallMs' | 'lagStaleMs'
>;

export interface ArchiveGateDeps {
  readonly clock: Clock;
  readonly log: ArchiveLog;
  readonly settings: Settings;
  readonly telemetry: Telemetry;
}

const BREAKER_OPEN: AppendOutcome = { kind: 'failed', outcome: 'refused', cause: new Error('the breaker is open') };

/** While there is nothing to archive the lag is looked at less often, and often enough never to be taken for unknown. */
const idleMs = ({ lagCheckMs, lagStaleMs }: Settings) => Math.max(lagCheckMs, Math.min(5 * lagCheckMs, lagStaleMs / 3));

/** The way to the archive log: a breaker in front of it, and an eye on how far archiving is behind. */
export class ArchiveGate implements Module {
  readonly name = 'im.archive-gate';
  readonly #deps: ArchiveGateDeps;
  #breaker: Breaker = closed;
  #lag: ArchiveLag | undefined;
  #measuredAt = 0;
  /** Whether anything was appended here since the lag was measured. */
  #busy = false;
  readonly #loop: Loop;

  constructor(deps: ArchiveGateDeps) {
    this.#deps = deps;
    const { clock, settings } = deps;
    const quiet = () => !this.#busy && this.#lag?.records === 0 && this.criticalProblem() === undefined;
    const everyMs = () => (quiet() ? idleMs(settings) : settings.lagCheckMs);
    this.#loop = createLoop({ clock, everyMs, turn: () => this.#measure() });
  }

  async start(): Promise<void> {
    this.#loop.start();
    await this.#measure();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Why a message in critical mode must be refused; undefined when the archive keeps up. */
  criticalProblem(): string | undefined {
    const { clock, settings } = this.#deps;
    return lagProblem(this.#lag, clock.monotonic(), {
      records: settings.maxArchiveLagRecords,
      stallMs: settings.maxArchiveStallMs,
      staleMs: settings.lagStaleMs,
    });
  }

  /** Appends, unless the log has failed too often; then it is refused at once. */
  append(entry: ArchiveEntry): Promise<AppendOutcome> {
    const { log, telemetry } = this.#deps;
    if (!this.#enter()) return Promise.resolve(BREAKER_OPEN);
    return log.append(entry).then(outcome => {
      this.#leave(outcome.kind === 'appended');
      if (outcome.kind === 'failed') telemetry.appendFailed(outcome.outcome, outcome.cause);
      return outcome;
    });
  }

  /** As `append`, for several at once. */
  async appendAll(entries: readonly ArchiveEntry[]): Promise<boolean> {
    if (entries.length === 0) return true;
    if (!this.#enter()) return false;
    const outcome = await this.#deps.log.appendAll(entries);
    this.#leave(outcome === 'appended');
    return outcome === 'appended';
  }

  #enter(): boolean {
    if (this.#breaker.state === 'closed') return true;
    const { breaker, admitted } = admit(this.#breaker, this.#deps.clock.monotonic(), this.#limits());
    this.#breaker = breaker;
    return admitted;
  }

  /** The first record since the lag was measured: from now on it is looked at as often as it is to be. */
  #wake(): void {
    const { clock, settings } = this.#deps;
    this.#busy = true;
    this.#loop.kick(Math.max(0, this.#measuredAt + settings.lagCheckMs - clock.monotonic()));
  }

  #leave(success: boolean): void {
    if (!this.#busy) this.#wake();
    const before = this.#breaker.state;
    this.#breaker = success
      ? succeeded(this.#breaker)
      : failed(this.#breaker, this.#deps.clock.monotonic(), this.#limits());
    const after = this.#breaker.state;
    if (after === 'open' && before === 'closed') this.#deps.telemetry.breaker(true);
    if (after === 'closed' && before !== 'closed') this.#deps.telemetry.breaker(false);
  }

  #limits() {
    const { breakerFailures, breakerOpenMs } = this.#deps.settings;
    return { failures: breakerFailures, openMs: breakerOpenMs };
  }

  async #measure(): Promise<void> {
    const { log, clock, telemetry } = this.#deps;
    this.#busy = false;
    this.#measuredAt = clock.monotonic();
    try {
      const parts = await log.progress();
      this.#lag = measureLag(this.#lag, parts, clock.monotonic());
      telemetry.lag(this.#lag.records);
    } catch (cause) {
      telemetry.lagUnreadable(cause);
    }
  }
}
