import type { DescService } from '@bufbuild/protobuf';
import { type CallContext, type MountedService, personIn, type ServiceImpl, service } from '@parley/rpc';
import { StoreError } from '@parley/store';
import type { Actor, Call } from '../app/call.ts';
import { directoryErrors as err } from '../errors.ts';
import { roleName } from '../ports/role-values.ts';

/** The person on whose behalf a call is made. */
export function actorOf(context: CallContext): Actor {
  const person = personIn(context.principal);
  if (!person) throw err('directory.person_required');
  const roles = person.roles.flatMap(role => roleName(role) ?? []);
  return { personId: person.id, signInId: person.signInId, roles };
}

export function callOf(context: CallContext): Call {
  const { requestId, traceparent, peer, signal } = context;
  return { requestId, traceparent, peer, signal };
}

/** Mounts handlers whose failures of the database become refusals with a code. */
export function mount<S extends DescService>(desc: S, impl: ServiceImpl<S>): MountedService {
  const guarded: Record<string, unknown> = {};
  for (const [name, handler] of Object.entries(impl as Record<string, (...args: unknown[]) => Promise<unknown>>)) {
    guarded[name] = async (...args: unknown[]) => {
      try {
        return await handler(...args);
      } catch (error) {
        throw refusalOf(error);
      }
    };
  }
  return service(desc, guarded as ServiceImpl<S>);
}

const temporary: readonly string[] = ['store.unavailable', 'store.timeout', 'store.overloaded', 'store.closed'];

function refusalOf(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  if (error.outcome === 'unknown') return err('directory.outcome_unknown', { cause: error });
  return temporary.includes(error.code)
    ? err('directory.store_unavailable', { cause: error, retryAfterMs: 1000 })
    : error;
}
