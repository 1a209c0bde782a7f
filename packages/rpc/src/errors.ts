/**
 * Closed set of kinds; each has one gRPC status (`statusOfKind`). Codes say exactly what; kinds say how to react.
 * https://grpc.io/docs/guides/status-codes/
 */
export type ErrorKind =
  | 'invalid' // INVALID_ARGUMENT: the request itself is wrong; do not repeat it
  | 'unauthenticated' // UNAUTHENTICATED: sign in or refresh
  | 'forbidden' // PERMISSION_DENIED
  | 'not_found' // NOT_FOUND
  | 'exists' // ALREADY_EXISTS
  | 'conflict' // ABORTED: read again, then repeat
  | 'precondition' // FAILED_PRECONDITION: the state forbids it
  | 'limit' // RESOURCE_EXHAUSTED: too many, too large, too often
  | 'unavailable' // UNAVAILABLE: repeat later, nothing happened
  | 'unknown' // UNKNOWN: it may or may not have happened; repeat with the same id
  | 'deadline' // DEADLINE_EXCEEDED
  | 'cancelled' // CANCELLED
  | 'unimplemented' // UNIMPLEMENTED
  | 'internal'; // INTERNAL: our fault

/** One entry of a catalogue. */
export interface ErrorSpec {
  readonly kind: ErrorKind;
  /** English text with `{param}` places, for developers and logs. */
  readonly message: string;
  /** What to do about it, for the errors reference. */
  readonly remedy: string;
}

/** A service's catalogue: code -> spec. Codes are `<area>.<snake_case>` and never change their meaning. */
export type ErrorCatalogue = Readonly<Record<string, ErrorSpec>>;

/** Extra facts of one refusal. */
export interface ErrorDetails {
  /** Path of the field at fault, proto names joined by dots. */
  readonly field?: string;
  readonly params?: Readonly<Record<string, string | number>>;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** A refusal with a stable code. The only error that handlers throw on purpose; anything else becomes `rpc.internal`. */
export class ParleyError extends Error {
  override readonly name = 'ParleyError';
  readonly code: string;
  readonly kind: ErrorKind;
  readonly field: string | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;

  constructor(code: string, spec: ErrorSpec, details: ErrorDetails = {}) {
    const params = Object.fromEntries(Object.entries(details.params ?? {}).map(([k, v]) => [k, String(v)]));
    const text = spec.message.replace(/\{(\w+)\}/g, (whole, name: string) => params[name] ?? whole);
    super(
      details.field ? `${details.field}: ${text}` : text,
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.code = code;
    this.kind = spec.kind;
    this.field = details.field;
    this.params = params;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/**
 * Turns a catalogue into a factory: `const err = defineErrors({...}); throw err('im.too_long', {field: 'content.text'})`.
 * The catalogue stays readable as `err.catalogue` for the generated reference.
 */
export function defineErrors<const C extends ErrorCatalogue>(catalogue: C) {
  const make = (code: keyof C & string, details?: ErrorDetails) =>
    new ParleyError(code, catalogue[code] as ErrorSpec, details);
  return Object.assign(make, { catalogue });
}
