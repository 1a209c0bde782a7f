/** How a verification that archiving made by itself ended. */
export interface VerificationOutcome {
  readonly atMs: number;
  readonly intact: boolean;
  readonly links: number;
  readonly findings: number;
}

/** When the next one is due, and who makes it. */
export interface VerificationState {
  readonly dueMs: number;
  /** Replica that makes one until then. */
  readonly by: string;
  readonly untilMs: number;
  readonly last?: VerificationOutcome;
  /** 0 for a state that was never written. */
  readonly revision: number;
}

export interface VerificationStore {
  read(): Promise<VerificationState | undefined>;
  /** Puts a state in place of the one with its revision; undefined when somebody was faster. */
  move(state: VerificationState): Promise<VerificationState | undefined>;
}
