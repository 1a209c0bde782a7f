import type { RoleName } from '../domain/roles.ts';

/** What a use case knows of the call it serves. */
export interface Call {
  readonly requestId: string;
  readonly traceparent: string | undefined;
  readonly peer: string;
  readonly signal?: AbortSignal;
}

/** The person on whose behalf it happens. */
export interface Actor {
  readonly personId: string;
  readonly signInId: string;
  readonly roles: readonly RoleName[];
}

export const causeOf = (call: Call, actor?: Actor) =>
  actor ? { requestId: call.requestId, actorId: actor.personId } : { requestId: call.requestId };
