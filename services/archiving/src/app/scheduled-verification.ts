import type { Clock, Module, Timer } from '@parley/runtime';
import type { ArchivingConfig } from '../config.ts';
import type { Telemetry } from '../events.ts';
import type { VerificationOutcome, VerificationState, VerificationStore } from '../ports/verification-store.ts';
import type { Verification } from './verification.ts';
import type { VerifyEntries } from './verify-entries.ts';

export interface ScheduledVerificationDeps {
  readonly clock: Clock;
  readonly store: VerificationStore;
  readonly verification: Verification;
  readonly verifyEntries: VerifyEntries;
  /** Names this replica. */
  readonly me: string;
  readonly settings: Pick<ArchivingConfig, 'verifyEveryMs' | 'verifyPauseMs' | 'verifyLeaseMs'>;
  readonly telemetry: Telemetry;
}

/** Longest time between two looks whether one is due. */
const LOOK_MS = 600_000;

/** Another replica makes the verification that was begun here. */
class Overtaken extends Error {}

/**
 * Verifies everything, every `verifyEveryMs`, without anybody asking: what was tampered with must not wait for somebody
 * who looks. One replica at a time, page by page with pauses; one that dies or fails leaves it to whoever looks next.
 */
export class ScheduledVerification implements Module {
  readonly name = 'archiving.verification';
  readonly #deps: ScheduledVerificationDeps;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopping = new AbortController();

  constructor(deps: ScheduledVerificationDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController();
    if (this.#deps.settings.verifyEveryMs === 0) return;
    this.#schedule(0);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    await this.#running;
  }

  #schedule(delayMs: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer = this.#deps.clock.timer(delayMs, () => {
      this.#running = this.#look().then(next => this.#schedule(next));
    });
  }

  /** Does what is due; resolves with the time until the next look. */
  async #look(): Promise<number> {
    const { clock, store, me, settings, telemetry } = this.#deps;
    const { verifyEveryMs, verifyLeaseMs } = settings;
    const patience = Math.max(1, Math.min(LOOK_MS, verifyEveryMs / 4));
    try {
      const state = await store.read();
      if (state?.last) telemetry.verifiedByItself(state.last.atMs);
      if (state) telemetry.verificationDue(state.dueMs);
      const now = clock.now();
      // an archive that was never verified by itself gets its first turn after the usual time
      if (!state) await store.move({ dueMs: now + verifyEveryMs, by: '', untilMs: 0, revision: 0 });
      else if (state.dueMs > now + verifyEveryMs) await store.move({ ...state, dueMs: now + verifyEveryMs });
      else if (state.dueMs > now) return Math.min(patience, state.dueMs - now);
      else if (state.by === me || state.untilMs <= now) {
        const taken = await store.move({ ...state, by: me, untilMs: now + verifyLeaseMs });
        if (taken) await this.#verify(taken);
      }
    } catch (cause) {
      if (!this.#stopping.signal.aborted && !(cause instanceof Overtaken)) telemetry.verifyFailed(cause);
    }
    return patience;
  }

  async #verify(taken: VerificationState): Promise<void> {
    const { clock, store, me, settings, telemetry } = this.#deps;
    let state = taken;
    const move = async (next: VerificationState) => {
      const moved = await store.move(next);
      if (!moved) throw new Overtaken();
      state = moved;
    };
    try {
      const last = await this.#everything(async () => {
        const left = state.untilMs - clock.now();
        if (left < settings.verifyLeaseMs / 2) await move({ ...state, untilMs: clock.now() + settings.verifyLeaseMs });
      });
      await move({ dueMs: last.atMs + settings.verifyEveryMs, by: me, untilMs: 0, last, revision: state.revision });
      telemetry.verifiedByItself(last.atMs);
      telemetry.verificationDue(state.dueMs);
    } catch (cause) {
      // others need not wait until the lease runs out
      if (!(cause instanceof Overtaken)) await store.move({ ...state, untilMs: 0 }).catch(() => undefined);
      throw cause;
    }
  }

  async #everything(keep: () => Promise<void>): Promise<VerificationOutcome> {
    const { clock, verification, verifyEntries, settings, telemetry } = this.#deps;
    const { signal } = this.#stopping;
    const pause = async () => {
      await clock.sleep(settings.verifyPauseMs, signal);
      await keep();
    };
    telemetry.verifyStarted('schedule');
    let [links, findings] = [0, 0];
    for await (const event of verification({ reportRecords: false, settleMs: 0, signal, pause }))
      if (event.kind === 'result') ({ links, findings } = event.result);
    const audit = await verifyEntries(signal, pause);
    if (!audit.intact) telemetry.auditFindings(audit.findings);
    const intact = findings === 0 && audit.intact;
    return { atMs: clock.now(), intact, links, findings: findings + audit.findings.length };
  }
}
