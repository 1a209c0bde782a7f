import { type DescService, getOption } from '@bufbuild/protobuf';
import { Audience, access } from '@parley/contracts';
import {
  type CallContext,
  type MountedService,
  type PersonPrincipal,
  personIn,
  type ServiceImpl,
  service,
} from '@parley/rpc';
import { StoreError } from '@parley/store';
import type { Actor, Call } from '../app/call.ts';
import type { Standing } from '../app/standing.ts';
import { directoryErrors as err } from '../errors.ts';
import { roleName, roleValues } from '../ports/role-values.ts';

/** The person on whose behalf a call is made. */
export function actorOf(context: CallContext): Actor {
  const person = personOf(context);
  const roles = person.roles.flatMap(role => roleName(role) ?? []);
  return { personId: person.id, signInId: person.signInId, roles };
}

function personOf(context: CallContext): PersonPrincipal {
  const person = personIn(context.principal);
  if (!person) throw err('directory.person_required');
  return person;
}

export function callOf(context: CallContext): Call {
  const { requestId, traceparent, peer, signal } = context;
  return { requestId, traceparent, peer, signal };
}

type Handler = (request: unknown, context: CallContext) => Promise<unknown>;

/** Mounts handlers whose failures of the database become refusals with a code. */
export function mount<S extends DescService>(desc: S, impl: ServiceImpl<S>): MountedService {
  return mountWith(desc, impl, handler => handler);
}

/** The same for people: an access token says what was; handlers see the roles that are left of it. */
export function mountForPeople<S extends DescService>(
  desc: S,
  impl: ServiceImpl<S>,
  standing: Standing,
): MountedService {
  const options = new Map(desc.methods.map(method => [method.localName, getOption(method, access)]));
  return mountWith(desc, impl, (handler, name) => {
    const option = options.get(name);
    if (option?.audience !== Audience.PERSON) throw new Error(`${desc.typeName}/${name} is not for people`);
    const needed = option.roles.flatMap(role => roleName(role) ?? []);
    return async (request, context) => {
      const held = await standing.check(actorOf(context), needed, needed.length > 0, callOf(context));
      const principal = { ...personOf(context), roles: held.map(role => roleValues[role]) };
      return handler(request, { ...context, principal });
    };
  });
}

function mountWith<S extends DescService>(
  desc: S,
  impl: ServiceImpl<S>,
  around: (handler: Handler, name: string) => Handler,
): MountedService {
  const guarded: Record<string, unknown> = {};
  for (const [name, handler] of Object.entries(impl as Record<string, Handler>)) {
    const inner = around(handler, name);
    guarded[name] = async (request: unknown, context: CallContext) => {
      try {
        return await inner(request, context);
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
