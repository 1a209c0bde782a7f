import { Code } from '@connectrpc/connect';
import { ParleyClientError } from '@parley/client';

/** Exit codes of every command; documented in the reference and never changed in meaning. */
export const EXIT = {
  ok: 0,
  /** The command worked and the answer is no: `archive verify` or `doctor` found a fault, some of many were refused. */
  negative: 1,
  usage: 2,
  signIn: 3,
  forbidden: 4,
  notFound: 5,
  invalid: 6,
  unavailable: 7,
  internal: 70,
  interrupted: 130,
} as const;

/** What each exit code means, in the order of the reference. */
export const EXIT_CODE_TEXTS: readonly (readonly [number, string])[] = [
  [EXIT.ok, 'done'],
  [
    EXIT.negative,
    'done, and the answer is no: the archive is not intact, the doctor found a fault, some of many were refused',
  ],
  [EXIT.usage, 'wrong options or arguments; nothing was sent'],
  [EXIT.signIn, 'not signed in, or address or password refused'],
  [EXIT.forbidden, 'signed in, but not allowed'],
  [EXIT.notFound, 'there is no such person or thing'],
  [EXIT.invalid, 'refused: the input is wrong, too large or in conflict with what is there'],
  [EXIT.unavailable, 'the server cannot be reached, is too slow or too busy: try again later'],
  [EXIT.internal, 'a defect of the server or of this program'],
  [EXIT.interrupted, 'interrupted (Ctrl-C) before the command was done'],
];

/** Wrong use of the command line; `remedy` says how to do it right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code: string;
  readonly remedy: string | undefined;

  constructor(message: string, remedy?: string, code = 'cli.usage') {
    super(message);
    this.remedy = remedy;
    this.code = code;
  }
}

const BY_CODE: Readonly<Record<string, number>> = {
  'directory.sign_in_locked': EXIT.signIn,
  'directory.password_wrong': EXIT.signIn,
  'directory.sign_in_rate': EXIT.unavailable,
  'im.archive_unavailable': EXIT.unavailable,
  'client.unimplemented': EXIT.unavailable, // no Parley at this address
  'client.interrupted': EXIT.interrupted,
};

const BY_STATUS: ReadonlyMap<Code, number> = new Map([
  [Code.Unauthenticated, EXIT.signIn],
  [Code.PermissionDenied, EXIT.forbidden],
  [Code.NotFound, EXIT.notFound],
  [Code.InvalidArgument, EXIT.invalid],
  [Code.AlreadyExists, EXIT.invalid],
  [Code.FailedPrecondition, EXIT.invalid],
  [Code.Aborted, EXIT.invalid],
  [Code.OutOfRange, EXIT.invalid],
  [Code.ResourceExhausted, EXIT.invalid],
  [Code.Unavailable, EXIT.unavailable],
  [Code.DeadlineExceeded, EXIT.unavailable],
  [Code.Unknown, EXIT.unavailable],
  [Code.Canceled, EXIT.unavailable],
]);

/** The exit code for whatever a command threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (!(error instanceof ParleyClientError)) return EXIT.internal;
  const byCode = BY_CODE[error.code];
  if (byCode !== undefined) return byCode;
  if (error.status === Code.ResourceExhausted && error.retryAfterMs !== undefined) return EXIT.unavailable;
  return BY_STATUS.get(error.status) ?? EXIT.internal;
}
