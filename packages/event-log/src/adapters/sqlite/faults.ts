/** What the SQLite log does wrong on demand. */
export interface EventLogFaults {
  /** `none`, `refuse` (appends fail at once) or `hang` (appends time out, and land when healed). */
  readonly mode: 'none' | 'refuse' | 'hang';
  /** From now on every append is refused and the log is not connected. */
  refuseAppends(): void;
  /** From now on appends hang: `unknown` at their deadline, though they land after `heal`. */
  hangAppends(): void;
  /** Ends the fault; appends that hang are carried out now, in order. */
  heal(): void;
  /** How many appends hang. */
  readonly hanging: number;
  /** For the log: runs `go` now, or once it is healed. */
  pass(go: () => void): void;
}

/** Faults to be given to `createSqliteEventLog`; none at first. */
export function createEventLogFaults(): EventLogFaults {
  let mode: EventLogFaults['mode'] = 'none';
  let waiting: (() => void)[] = [];
  return {
    get mode() {
      return mode;
    },
    get hanging() {
      return waiting.length;
    },
    refuseAppends: () => void (mode = 'refuse'),
    hangAppends: () => void (mode = 'hang'),
    heal() {
      mode = 'none';
      const ready = waiting;
      waiting = [];
      for (const go of ready) go();
    },
    pass: go => void (mode === 'hang' ? waiting.push(go) : go()),
  };
}
