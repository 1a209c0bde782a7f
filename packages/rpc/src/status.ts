import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ErrorInfoSchema, StatusSchema } from '@parley/contracts';
import { type ErrorKind, ParleyError } from './errors.ts';
import { rpcErrors } from './rpc-errors.ts';

/** The only place where kinds meet gRPC status codes. https://grpc.io/docs/guides/status-codes/ */
const statusByKind = {
  cancelled: 1,
  unknown: 2,
  invalid: 3,
  deadline: 4,
  not_found: 5,
  exists: 6,
  forbidden: 7,
  limit: 8,
  precondition: 9,
  conflict: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const satisfies Record<ErrorKind, number>;

/** Names of the gRPC status codes by number, as metrics and logs show them. */
export const statusNames: readonly string[] = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

const kindByStatus = new Map<number, ErrorKind>([
  ...Object.entries(statusByKind).map(([kind, code]) => [code, kind as ErrorKind] as const),
  [11, 'invalid'], // OUT_OF_RANGE
  [15, 'internal'], // DATA_LOSS
]);

/** gRPC status code of a kind. */
export function statusOfKind(kind: ErrorKind): number {
  return statusByKind[kind];
}

/** Kind of a gRPC status code; `unknown` for codes that do not exist. */
export function kindOfStatus(code: number): ErrorKind {
  return kindByStatus.get(code) ?? 'unknown';
}

/** A refusal as transports send it: `details` goes into `grpc-status-details-bin`. */
export interface WireStatus {
  readonly code: number;
  readonly message: string;
  readonly details: Uint8Array;
}

const errorInfoUrl = 'type.googleapis.com/parley.common.v1.ErrorInfo';
const maxDetailBytes = 4096;
const maxMessageChars = 1024;

/** A refusal that travels as a status somebody else made, with any code and any details. */
export class ForeignStatus extends ParleyError {
  readonly status: WireStatus;

  constructor(status: WireStatus) {
    const kind = kindOfStatus(status.code);
    super(codeByKind[kind] ?? `rpc.${kind}`, { kind, message: status.message, remedy: '' });
    this.status = status;
  }
}

/** Encodes a refusal. Texts and details are cut so that they always fit into HTTP headers. */
export function errorToStatus(error: ParleyError, requestId: string): WireStatus {
  if (error instanceof ForeignStatus) return error.status;
  const code = statusByKind[error.kind];
  const message = error.message.slice(0, maxMessageChars).toWellFormed();
  const info = create(ErrorInfoSchema, {
    code: error.code,
    field: error.field?.slice(0, 256).toWellFormed() ?? '',
    params: wellFormed(error.params),
    retryAfterMs: Math.min(Math.max(0, Math.ceil(error.retryAfterMs ?? 0)), 0xffffffff),
    requestId,
  });
  let value = toBinary(ErrorInfoSchema, info);
  if (value.length > maxDetailBytes) {
    info.params = {};
    value = toBinary(ErrorInfoSchema, info);
  }
  const status = create(StatusSchema, { code, message, details: [{ typeUrl: errorInfoUrl, value }] });
  return { code, message, details: toBinary(StatusSchema, status) };
}

function wellFormed(params: Readonly<Record<string, string>>): Record<string, string> {
  const copy: Record<string, string> = {};
  for (const name in params) copy[name.toWellFormed()] = (params[name] as string).toWellFormed();
  return copy;
}

/** Codes that stand for a status without our details, as proxies, libraries and foreign servers send them. */
const codeByKind: Partial<Record<ErrorKind, keyof typeof rpcErrors.catalogue>> = {
  unauthenticated: 'rpc.unauthenticated',
  forbidden: 'rpc.permission_denied',
  unimplemented: 'rpc.unknown_method',
  unavailable: 'rpc.unavailable',
  deadline: 'rpc.deadline_exceeded',
  cancelled: 'rpc.cancelled',
  internal: 'rpc.internal',
};

/**
 * Rebuilds the refusal that a server sent: code, kind, field, params and time to wait. Without details (or with
 * details that cannot be read) the code is the one of {@link rpcErrors} that fits the status.
 */
export function errorFromStatus(code: number, message: string, details: Uint8Array | undefined): ParleyError {
  const kind = kindOfStatus(code);
  const info = details && readInfo(details);
  if (info?.code) {
    const text = info.field && message.startsWith(`${info.field}: `) ? message.slice(info.field.length + 2) : message;
    return new ParleyError(
      info.code,
      { kind, message: text, remedy: '' },
      {
        params: info.params,
        ...(info.field ? { field: info.field } : {}),
        ...(info.retryAfterMs ? { retryAfterMs: info.retryAfterMs } : {}),
      },
    );
  }
  const known = codeByKind[kind];
  // Texts of proxies and libraries name addresses and the like: they are for the log, not for whoever called us.
  if (known) return rpcErrors(known, { cause: new Error(message) });
  if (kind === 'unknown')
    return rpcErrors('rpc.unknown', { params: { reason: 'the answer was lost' }, cause: new Error(message) });
  return new ParleyError(`rpc.${kind}`, { kind, message: message || kind, remedy: '' });
}

function readInfo(details: Uint8Array) {
  try {
    const status = fromBinary(StatusSchema, details);
    const detail = status.details.find(d => d.typeUrl === errorInfoUrl);
    return detail && fromBinary(ErrorInfoSchema, detail.value);
  } catch {
    return undefined;
  }
}

/** Whatever was thrown, as a refusal: a {@link ParleyError} stays as it is, all else becomes `rpc.internal`. */
export function asParleyError(thrown: unknown): ParleyError {
  return thrown instanceof ParleyError ? thrown : rpcErrors('rpc.internal', { cause: thrown });
}
