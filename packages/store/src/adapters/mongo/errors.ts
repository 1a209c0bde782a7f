import {
  MongoError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoNotConnectedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from 'mongodb';
import { StoreError } from '../../errors.ts';

/** Whether a unique index or `_id` refused the write. */
export const isDuplicate = (error: unknown): boolean => error instanceof MongoError && error.code === 11000;

/**
 * Answers that surely mean that the write was not done: BadValue, Unauthorized, FailedToParse, TypeMismatch,
 * AuthenticationFailed, NamespaceNotFound, IndexNotFound, CommandNotFound, ImmutableField, DocumentValidationFailure,
 * NotWritablePrimary, BSONObjectTooLarge, NotPrimaryNoSecondaryOk, DuplicateKey. All others, those of a front whose
 * database went away among them, leave it open.
 */
const REFUSED = new Set([2, 9, 13, 14, 18, 26, 27, 59, 66, 121, 10107, 10334, 13435, 11000]);

/** What an operator can mend. */
const REASONS: Readonly<Record<number, string>> = {
  13: "the database does not allow this to the service's user",
  18: "the database refuses the service's user or his password",
};

/** The failure of a call as the port tells it. */
export function failure(error: unknown, write: boolean): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof MongoTopologyClosedError || error instanceof MongoNotConnectedError)
    return new StoreError('store.closed', 'the store is closed', { cause: error });
  const timeout =
    error instanceof MongoNetworkTimeoutError ||
    (error instanceof MongoServerError && [50, 89, 262].includes(Number(error.code)));
  const outcome = write && !notSent(error) && !refused(error) ? 'unknown' : 'not-applied';
  const name = error instanceof Error ? error.name : typeof error;
  const number = error instanceof MongoError && error.code !== undefined ? ` ${error.code}` : '';
  const what = REASONS[Number((error as MongoError | undefined)?.code)] ?? 'the database failed';
  return new StoreError(timeout ? 'store.timeout' : 'store.unavailable', `${what}: ${name}${number}`, {
    outcome,
    cause: error,
  });
}

/** Where the driver sends a write again by itself: it may have looked for a server after it had sent it once. */
const REPEATING: ReadonlySet<string> = new Set([
  'ReplicaSetNoPrimary',
  'ReplicaSetWithPrimary',
  'Sharded',
  'LoadBalanced',
]);

/** Failures before anything went out. `PoolClearedOnNetworkError` is none: it ends requests that wait for their answer. */
function notSent(error: unknown): boolean {
  if (error instanceof MongoServerSelectionError) return !REPEATING.has(error.reason?.type ?? '');
  const name = (error as Error | undefined)?.name ?? '';
  if (/^MongoPoolCleared|PoolClosed|WaitQueueTimeout|InvalidArgument|BSON/.test(name)) return true;
  return error instanceof MongoNetworkError && error.message.startsWith('connect ');
}

function refused(error: unknown): boolean {
  return error instanceof MongoServerError && !error.writeConcernError && REFUSED.has(Number(error.code));
}
