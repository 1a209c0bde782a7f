import { MachineState } from '@parley/client';

/** What the person does at this device, seen over all tabs. */
export interface Activity {
  /** Somebody typed or pointed in some tab. */
  input(atMs: number): void;
  stop(): void;
}

/** Without input for so long a person counts as inactive, milliseconds. */
const INACTIVE_MS = 5 * 60_000;
/** Without input for so long a person counts as away, milliseconds. */
const AWAY_MS = 10 * 60_000;
/** How often the server is told that somebody is still active: it takes silence for inactivity, milliseconds. */
const REPEAT_MS = 2 * 60_000;

/** See {@link Activity}. */
export function createActivity(
  env: { readonly now: () => number; readonly after: (ms: number, callback: () => void) => () => void },
  report: (state: MachineState) => void,
): Activity {
  let lastInput = env.now();
  let told: MachineState = MachineState.ACTIVE;
  let toldAt = env.now();
  let timer: (() => void) | undefined;

  function look(): void {
    timer?.();
    const now = env.now();
    const idle = now - lastInput;
    const state =
      idle >= AWAY_MS ? MachineState.AWAY : idle >= INACTIVE_MS ? MachineState.INACTIVE : MachineState.ACTIVE;
    if (state !== told || (state === MachineState.ACTIVE && now - toldAt >= REPEAT_MS && lastInput > toldAt)) {
      told = state;
      toldAt = now;
      report(state);
    }
    const untilChange = state === MachineState.ACTIVE ? INACTIVE_MS - idle : AWAY_MS - idle;
    timer = state === MachineState.AWAY ? undefined : env.after(Math.max(1_000, untilChange), look);
  }
  look();

  return {
    input(atMs) {
      lastInput = Math.max(lastInput, Math.min(atMs, env.now()));
      look();
    },
    stop: () => timer?.(),
  };
}
