import type { Role } from '@parley/contracts';
import { type CallMetadata, ResponseMetadata } from './metadata.ts';
import { rpcErrors } from './rpc-errors.ts';

/** Who calls. Decided by the auth interceptor from the token; handlers trust it. */
export type Principal =
  | { readonly kind: 'anonymous' }
  | PersonPrincipal
  /** A Parley service; `person` is the one on whose behalf it calls, if any. */
  | { readonly kind: 'service'; readonly name: string; readonly person?: PersonPrincipal };

/** A signed-in person. */
export interface PersonPrincipal {
  readonly kind: 'person';
  readonly id: string;
  /** The sign-in (`sid`): all tokens of one refresh family. */
  readonly signInId: string;
  readonly roles: readonly Role[];
  /** End of the token, milliseconds since 1970-01-01 UTC. */
  readonly tokenExpiresMs: number;
  /** True when only AuthService/ChangePassword is allowed. */
  readonly passwordChangeRequired: boolean;
}

/** What a handler knows of the call beside its request. */
export interface CallContext {
  readonly principal: Principal;
  /** Aborted when the caller goes away or the deadline passes. */
  readonly signal: AbortSignal;
  /** End of the caller's patience by this process's monotonic clock, milliseconds. */
  readonly deadlineMs: number | undefined;
  /** Unique for the call; in every log line and in every refusal. */
  readonly requestId: string;
  /** W3C `traceparent` of the caller, passed on in calls, bus and log headers. */
  readonly traceparent: string | undefined;
  /** The caller's bearer token, to be forwarded to other services; undefined for anonymous calls. */
  readonly token: string | undefined;
  /** Remote address, for rate limits; `in-process` for local calls. */
  readonly peer: string;
  /** Fields beside the messages; made on first use. */
  readonly metadata: CallMetadata;
}

/** Nobody signed in. */
export const anonymous: Principal = Object.freeze({ kind: 'anonymous' });

/** The person a call is made by, or for by a service; undefined when there is none. */
export function personIn(principal: Principal): PersonPrincipal | undefined {
  if (principal.kind === 'person') return principal;
  return principal.kind === 'service' ? principal.person : undefined;
}

/** The person a call is made by, or for by a service; throws `rpc.unauthenticated` when there is none. */
export function personOf(context: CallContext): PersonPrincipal {
  const person = personIn(context.principal);
  if (!person) throw rpcErrors('rpc.unauthenticated');
  return person;
}

/**
 * A context of one's own: for unit tests, and for work that no call started. Defaults: anonymous, no deadline, a signal
 * that is never aborted, request id `local`, peer `in-process`.
 */
export function createCallContext(init: Partial<CallContext> = {}): CallContext {
  return {
    principal: anonymous,
    signal: new AbortController().signal,
    deadlineMs: undefined,
    requestId: 'local',
    traceparent: undefined,
    token: undefined,
    peer: 'in-process',
    metadata: new ResponseMetadata(() => []),
    ...init,
  };
}
