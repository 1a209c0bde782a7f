/** Tells caches and streams of other services that something changed. A hint: they also look for themselves. */
export interface Announcements {
  personChanged(change: PersonChange): void;
  /** Something changed that may concern everybody. */
  everybodyChanged(version: number, traceparent: string | undefined): void;
}

export interface PersonChange {
  readonly personId: string;
  /** From which on answers are fresh. */
  readonly version: number;
  readonly disabled?: boolean;
  readonly endedSignInIds?: readonly string[];
  readonly allSignInsEnded?: boolean;
  readonly traceparent: string | undefined;
}
