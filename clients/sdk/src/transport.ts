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

/** gRPC-Web to `baseUrl`; calls of a signed-in person carry a token and are repeated once with a fresh one. */
export function createTransports(
  baseUrl: string,
  store: TokenStore,
  env: ClientEnvironment,
  options: { readonly fetch?: typeof globalThis.fetch; readonly timeoutMs?: number } = {},
): Transports {
  const common = {
    baseUrl,
    useBinaryFormat: true,
    defaultTimeoutMs: options.timeoutMs ?? 10_000,
    ...(options.fetch && { fetch: options.fetch }),
  };
  const auth = createClient(AuthService, createGrpcWebTransport(common));
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
  return { auth, tokens, signedIn: createGrpcWebTransport({ ...common, interceptors: [withToken] }) };
}
