import { type Authenticator, anonymous, type Principal, rpcErrors } from '@parley/rpc';
import { serviceTokenStart } from './claims.ts';
import type { PersonTokenVerifier } from './person-token-verifier.ts';
import type { ServiceTokenVerifier } from './service-token.ts';

/** Settings of {@link createAuthenticator}. */
export interface AuthenticatorOptions {
  readonly person: PersonTokenVerifier;
  /** Without it service tokens are refused (standalone: services call each other in process). */
  readonly service?: ServiceTokenVerifier;
}

/**
 * The port of `@parley/rpc`: a bearer token of a person, or one of a service with, if it calls for a person, that
 * person's token beside it. A forwarded token without a service's token is refused.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { person, service } = options;

  function asService(bearer: string, personToken: string | undefined): Principal | Promise<Principal> {
    if (!service) throw rpcErrors('rpc.unauthenticated');
    const name = service.verify(bearer);
    const on = personToken === undefined ? undefined : verifyForwarded(personToken);
    if (typeof name === 'string' && !(on instanceof Promise)) return principalOf(name, on);
    return Promise.all([name, on]).then(([found, forwarded]) => principalOf(found, forwarded));
  }

  /** Never throws: a promise for the service's token may be under way, and somebody must look at it. */
  function verifyForwarded(token: string): ReturnType<PersonTokenVerifier['verify']> {
    try {
      return person.verify(token);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  return {
    authenticate(bearer, personToken) {
      if (bearer === undefined) {
        if (personToken !== undefined) throw rpcErrors('rpc.unauthenticated');
        return anonymous;
      }
      if (personToken === undefined && !bearer.startsWith(serviceTokenStart)) return person.verify(bearer);
      return asService(bearer, personToken);
    },
  };
}

function principalOf(name: string, person: Awaited<ReturnType<PersonTokenVerifier['verify']>> | undefined): Principal {
  return person ? { kind: 'service', name, person } : { kind: 'service', name };
}
