import { type Clock, createLoop, type Loop, type Module } from '@parley/runtime';
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
  readonly #loop: Loop;
  /** Until the next look. */
  #waitMs = 0;

  constructor(deps: ScheduledVerificationDeps) {
    this.#deps = deps;
    this.#loop = createLoop({ clock: deps.clock, everyMs: () => this.#waitMs, turn: signal => this.#look(signal) });
  }

  async start(): Promise<void> {
    if (this.#deps.settings.verifyEveryMs > 0) this.#loop.start(0);
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Does what is due. */
  async #look(signal: AbortSignal): Promise<void> {
    const { clock, store, me, settings, telemetry } = this.#deps;
    const { verifyEveryMs, verifyLeaseMs } = settings;
    const patience = Math.max(1, Math.min(LOOK_MS, verifyEveryMs / 4));
    this.#waitMs = patience;
    try {
      const state = await store.read();
      if (state?.last) telemetry.verifiedByItself(state.last.atMs);
      if (state) telemetry.verificationDue(state.dueMs);
      const now = clock.now();
      // an archive that was never verified by itself gets its first turn after the usual time
      if (!state) await store.move({ dueMs: now + verifyEveryMs, by: '', untilMs: 0, revision: 0 });
      else if (state.dueMs > now + verifyEveryMs) await store.move({ ...state, dueMs: now + verifyEveryMs });
      else if (state.dueMs > now) this.#waitMs = Math.min(patience, state.dueMs - now);
      else if (state.by === me || state.untilMs <= now) {
        const taken = await store.move({ ...state, by: me, untilMs: now + verifyLeaseMs });
        if (taken) await this.#verify(taken, signal);
      }
    } catch (cause) {
      if (!signal.aborted && !(cause instanceof Overtaken)) telemetry.verifyFailed(cause);
    }
  }

  async #verify(taken: VerificationState, signal: AbortSignal): Promise<void> {
    const { clock, store, me, settings, telemetry } = this.#deps;
    let state = taken;
    const move = async (next: VerificationState) => {
      const moved = await store.move(next);
      if (!moved) throw new Overtaken();
      state = moved;
    };
    try {
      const last = await this.#everything(signal, async () => {
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

  async #everything(signal: AbortSignal, keep: () => Promise<void>): Promise<VerificationOutcome> {
    const { clock, verification, verifyEntries, settings, telemetry } = this.#deps;
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
