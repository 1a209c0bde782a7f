import { type Client, Code, ConnectError, createClient, type Interceptor, type Transport } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import type { ClientEnvironment } from './environment.ts';
import { createTokens, type TokenStore, type Tokens } from './tokens.ts';

/** A transport without credentials, one with them, and the tokens behind it. */
export interface Transports {
  readonly auth: Client<typeof AuthService>;
  readonly signedIn: Transport;
  readonly tokens: Tokens;
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Carries the caller's trace; what is no `traceparent` is not sent. */
const withTrace =
  (traceparent: (call: string) => string | undefined): Interceptor =>
  next =>
  request => {
    const value = traceparent(`${request.service.typeName}/${request.method.name}`);
    if (value !== undefined && TRACEPARENT.test(value)) request.header.set('traceparent', value);
    return next(request);
  };

/** gRPC-Web to `baseUrl`; calls of a signed-in person carry a token and are repeated once with a fresh one. */
export function createTransports(
  baseUrl: string,
  store: TokenStore,
  env: ClientEnvironment,
  options: {
    readonly fetch?: typeof globalThis.fetch;
    readonly timeoutMs?: number;
    readonly traceparent?: (call: string) => string | undefined;
  } = {},
): Transports {
  const common = {
    baseUrl,
    useBinaryFormat: true,
    defaultTimeoutMs: options.timeoutMs ?? 10_000,
    ...(options.fetch && { fetch: options.fetch }),
  };
  const traced = options.traceparent ? [withTrace(options.traceparent)] : [];
  const auth = createClient(AuthService, createGrpcWebTransport({ ...common, interceptors: traced }));
  const tokens = createTokens(auth, store, env);
  const withToken: Interceptor = next => async request => {
    const token = await tokens.access(request.signal);
    request.header.set('authorization', `Bearer ${token}`);
    try {
      return await next(request);
    } catch (error) {
      // a stream's refusal comes while it is read: whoever reads it repeats it
      if (request.stream || ConnectError.from(error).code !== Code.Unauthenticated) throw error;
      request.header.set('authorization', `Bearer ${await tokens.renewed(token, request.signal)}`);
      return next(request);
    }
  };
  return { auth, tokens, signedIn: createGrpcWebTransport({ ...common, interceptors: [...traced, withToken] }) };
}
