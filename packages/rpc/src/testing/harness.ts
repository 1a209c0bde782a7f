import { Role } from '@parley/contracts';
import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { DirectoryInternalService } from '@parley/contracts/directory/v1/internal';
import { ImService } from '@parley/contracts/im/v1/im';
import { SessionService } from '@parley/contracts/session/v1/session';
import {
  type Clock,
  createHealth,
  createLogger,
  createMetrics,
  type Health,
  type Logger,
  type Metrics,
  systemClock,
  systemIds,
} from '@parley/runtime';
import type { Authenticator } from '../authenticator.ts';
import { anonymous, type PersonPrincipal } from '../context.ts';
import { defineErrors } from '../errors.ts';
import { createRegistry, type Registry, type RegistryLimits } from '../registry.ts';
import { rpcErrors } from '../rpc-errors.ts';
import { type MountedService, type ServiceImpl, service } from '../service.ts';

/** Refusals of the services under test. */
export const testErrors = defineErrors({
  'test.refused': { kind: 'limit', message: 'at most {limit} characters', remedy: 'less' },
});

/** Tokens of the tests: `person:<id>`, `viewer:<id>`, `new:<id>` (must change the password), `service:<name>`, `expired`. */
export const tokenAuthenticator: Authenticator = {
  authenticate(bearer, personToken) {
    if (bearer === undefined) return anonymous;
    const [kind, name] = bearer.split(':') as [string, string];
    if (kind === 'expired') throw rpcErrors('rpc.token_expired');
    if (kind === 'service') {
      return personToken === undefined
        ? { kind: 'service', name }
        : { kind: 'service', name, person: personPrincipal(personToken) };
    }
    // Half of the callers are known at once and half are not, as with a real cache.
    return kind === 'slow' ? Promise.resolve(personPrincipal(bearer)) : personPrincipal(bearer);
  },
};

/** The person a token of the tests stands for. */
export function personPrincipal(token: string): PersonPrincipal {
  const [kind, id] = token.split(':') as [string, string];
  if (!['person', 'slow', 'viewer', 'new'].includes(kind)) throw rpcErrors('rpc.unauthenticated');
  return {
    kind: 'person',
    id,
    signInId: 's1',
    roles: kind === 'viewer' ? [Role.VIEWER] : [],
    tokenExpiresMs: 4_000_000_000_000,
    passwordChangeRequired: kind === 'new',
  };
}

/** Handlers that refuse everything, to be replaced one by one. */
function unimplemented<S extends { methods: readonly { localName: string }[] }>(
  desc: S,
): Record<string, () => Promise<never>> {
  const refuse = () => Promise.reject(new Error('not expected'));
  return Object.fromEntries(desc.methods.map(method => [method.localName, refuse]));
}

/** What of each service a test answers. */
export interface Handlers {
  im?: Partial<ServiceImpl<typeof ImService>>;
  session?: Partial<ServiceImpl<typeof SessionService>>;
  auth?: Partial<ServiceImpl<typeof AuthService>>;
  admin?: Partial<ServiceImpl<typeof DirectoryAdminService>>;
  internal?: Partial<ServiceImpl<typeof DirectoryInternalService>>;
}

/** Everything a mount needs, and the lines that were logged. */
export interface Bench {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly lines: { readonly level: string; readonly event: string; readonly [key: string]: unknown }[];
}

/** A registry with the services of the contracts, answered by `handlers`. */
export function createBench(handlers: Handlers, options: { clock?: Clock; limits?: RegistryLimits } = {}): Bench {
  const lines: Bench['lines'] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger({ level: 'debug', service: 'test', destination });
  const metrics = createMetrics({ defaults: false });
  const clock = options.clock ?? systemClock;
  const { limits } = options;
  const registry = createRegistry({
    authenticator: tokenAuthenticator,
    clock,
    ids: systemIds,
    logger,
    metrics,
    services: mounted(handlers),
    ...(limits ? { limits } : {}),
  });
  return { registry, clock, logger, metrics, health: createHealth(), lines };
}

function mounted(handlers: Handlers): MountedService[] {
  return [
    service(ImService, { ...unimplemented(ImService), ...handlers.im } as never),
    service(SessionService, { ...unimplemented(SessionService), ...handlers.session } as never),
    service(AuthService, { ...unimplemented(AuthService), ...handlers.auth } as never),
    service(DirectoryAdminService, { ...unimplemented(DirectoryAdminService), ...handlers.admin } as never),
    service(DirectoryInternalService, { ...unimplemented(DirectoryInternalService), ...handlers.internal } as never),
  ];
}

/** A promise and the functions that settle it. */
export function gate<T = void>() {
  return Promise.withResolvers<T>();
}

/** Resolves when the signal is aborted, with its reason. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise(resolve => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}
