import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema } from '@parley/contracts';
import { reasonOf } from './abort.ts';

/**
 * A refusal by the server, or a failure to reach it. `code` is stable and listed in the errors reference; branch on it,
 * never on the message.
 */
export class ParleyClientError extends Error {
  override readonly name = 'ParleyClientError';
  /** For example `im.message_id_reused`; `client.network` when no server answered. */
  readonly code: string;
  /** The gRPC status behind it. */
  readonly status: Code;
  /** Path of the request field at fault. */
  readonly field: string | undefined;
  /** Values named by the code's text, for example `limit`. */
  readonly params: Readonly<Record<string, string>>;
  /** Milliseconds to wait before trying again, when the server said so. */
  readonly retryAfterMs: number | undefined;
  /** To be quoted to an administrator. */
  readonly requestId: string | undefined;

  constructor(
    code: string,
    status: Code,
    message: string,
    rest: {
      field?: string;
      params?: Record<string, string>;
      retryAfterMs?: number;
      requestId?: string;
      cause?: unknown;
    } = {},
  ) {
    super(message, rest.cause === undefined ? {} : { cause: rest.cause });
    this.code = code;
    this.status = status;
    this.field = rest.field;
    this.params = rest.params ?? {};
    this.retryAfterMs = rest.retryAfterMs;
    this.requestId = rest.requestId;
  }

  /** Whether the same call can succeed later without being changed. */
  get retryable(): boolean {
    if (this.code === 'im.archive_unavailable') return false; // critical mode: the author decides anew
    return RETRYABLE.has(this.status) || (this.status === Code.ResourceExhausted && this.retryAfterMs !== undefined);
  }
}

// Canceled: by a proxy or a server that went away; a caller who gave up himself gets his signal's reason instead
const RETRYABLE = new Set([Code.Unavailable, Code.Unknown, Code.DeadlineExceeded, Code.Aborted, Code.Canceled]);

/** Statuses without details that mean that something else than Parley answered, or nothing. */
const NETWORK = new Set([Code.Unknown, Code.Unavailable, Code.Internal]);

const snakeCase = (name: string): string => name.replace(/(?<=[a-z])[A-Z]/g, upper => `_${upper}`).toLowerCase();

/**
 * Makes a {@link ParleyClientError} of whatever a call threw, for example one of `ParleyClient.services`; a call that
 * was ended by `signal` keeps the signal's reason.
 */
export function toClientError(error: unknown, signal?: AbortSignal): Error {
  if (error instanceof ParleyClientError) return error;
  if (signal?.aborted) return reasonOf(signal);
  const failure = ConnectError.from(error);
  if (failure.cause instanceof ParleyClientError) return failure.cause; // thrown before the call went out
  const info = failure.findDetails(ErrorInfoSchema)[0];
  if (!info) {
    const network = NETWORK.has(failure.code);
    return new ParleyClientError(
      network ? 'client.network' : `client.${snakeCase(Code[failure.code] ?? 'unknown')}`,
      network ? Code.Unavailable : failure.code,
      failure.rawMessage || 'the server could not be reached',
      { cause: error },
    );
  }
  return new ParleyClientError(info.code, failure.code, failure.rawMessage, {
    ...(info.field && { field: info.field }),
    params: info.params,
    ...(info.retryAfterMs > 0 && { retryAfterMs: info.retryAfterMs }),
    ...(info.requestId && { requestId: info.requestId }),
    cause: error,
  });
}

/** The refusal that nobody is signed in (any longer). */
export const signedOut = (cause?: unknown): ParleyClientError =>
  new ParleyClientError('client.signed_out', Code.Unauthenticated, 'nobody is signed in', { cause });
