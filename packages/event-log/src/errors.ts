import type { AppendFailure } from './event-log.ts';

/** Why the log did not do what it was asked. */
export type EventLogErrorCode =
  | 'unknown_topic'
  | 'unknown_partition'
  | 'invalid'
  | 'too_large'
  | 'deadline'
  | 'unavailable'
  | 'no_epoch'
  | 'closed';

/** Thrown by every call but `append`. */
export class EventLogError extends Error {
  readonly code: EventLogErrorCode;

  /** `message` is safe to log: it never carries content of a record. */
  constructor(code: EventLogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EventLogError';
    this.code = code;
  }
}

/** Somebody consumes as a group that is to be set back. */
export const inUse = (group: string, cause?: unknown): EventLogError =>
  new EventLogError('invalid', `somebody consumes as group ${group}`, { cause });

/** Thrown by `append`: see {@link AppendFailure}. */
export class AppendError extends EventLogError implements AppendFailure {
  readonly outcome: 'refused' | 'unknown';

  /** `refused`: nothing was written and nothing will be. */
  constructor(outcome: 'refused' | 'unknown', code: EventLogErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = 'AppendError';
    this.outcome = outcome;
  }
}
