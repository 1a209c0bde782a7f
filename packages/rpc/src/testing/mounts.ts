import type { DescService } from '@bufbuild/protobuf';
import { ConnectError, createClient as createConnectClient } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { type Client, createClient } from '../channel.ts';
import { createCallContext } from '../context.ts';
import { createGrpcChannel } from '../grpc-channel.ts';
import { createGrpcServer } from '../grpc-server.ts';
import { createInProcessChannel } from '../in-process.ts';
import { errorFromStatus } from '../status.ts';
import { createWebServer } from '../web-server.ts';
import { type Bench, personPrincipal } from './harness.ts';

/** A caller on one of the mounts. */
export interface Mounted {
  /** A client of `desc` that calls for the person with `token`; without, for nobody. */
  client<S extends DescService>(desc: S, token?: string): Client<S>;
  close(): Promise<void>;
}

/** The three ways a registry is called, behind one interface, so that one suite runs over all. */
export const mounts: Readonly<Record<string, (bench: Bench) => Promise<Mounted>>> = {
  'in process': async bench => {
    const channel = createInProcessChannel(bench.registry, { as: 'session' });
    return { client: (desc, token) => forPerson(desc, createClient(desc, channel), token), close: async () => {} };
  },

  'native gRPC': async bench => {
    const server = createGrpcServer({ ...bench, host: '127.0.0.1', port: 0 });
    await server.start();
    const channel = createGrpcChannel({ target: `127.0.0.1:${server.port}`, serviceTokens: () => 'service:session' });
    return {
      client: (desc, token) => forPerson(desc, createClient(desc, channel), token),
      async close() {
        channel.close();
        await server.stop();
      },
    };
  },

  'gRPC-Web': async bench => {
    const server = createWebServer({ ...bench, host: '127.0.0.1', port: 0 });
    await server.start();
    const transport = createGrpcWebTransport({ baseUrl: `http://127.0.0.1:${server.port}` });
    return {
      client: (desc, token) => overConnect(desc, createConnectClient(desc, transport), token),
      close: () => server.stop(),
    };
  },
};

/** Every call carries the context of a call by that person. */
function forPerson<S extends DescService>(desc: S, client: Client<S>, token: string | undefined): Client<S> {
  if (token === undefined) return client;
  const context = createCallContext({ principal: personPrincipal(token), token, requestId: 'outer-1' });
  const wrapped: Record<string, unknown> = {};
  for (const { localName } of desc.methods) {
    const call = (client as Record<string, (request: unknown, options?: object) => unknown>)[localName];
    wrapped[localName] = (request: unknown, options?: object) => call?.(request, { ...options, context });
  }
  return wrapped as Client<S>;
}

type ConnectCall = (request: unknown, options: object) => unknown;

/** The foreign client, with its errors turned into ours. */
function overConnect<S extends DescService>(desc: S, client: object, token: string | undefined): Client<S> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const wrapped: Record<string, unknown> = {};
  for (const method of desc.methods) {
    const call = (client as Record<string, ConnectCall>)[method.localName] as ConnectCall;
    wrapped[method.localName] = method.methodKind === 'unary' ? unary() : stream();
    function unary() {
      return async (request: unknown, options: object = {}) => {
        try {
          return await (call(request, { ...options, headers }) as Promise<unknown>);
        } catch (error) {
          throw ours(error);
        }
      };
    }
    function stream() {
      return async function* (request: unknown, options: object = {}) {
        // The foreign client goes on reading when its reader leaves, unless it is told.
        const controller = new AbortController();
        try {
          yield* call(request, { signal: controller.signal, ...options, headers }) as AsyncIterable<unknown>;
        } catch (error) {
          throw ours(error);
        } finally {
          controller.abort();
        }
      };
    }
  }
  return wrapped as Client<S>;
}

function ours(thrown: unknown): Error {
  const error = ConnectError.from(thrown);
  const details = error.metadata.get('grpc-status-details-bin');
  return errorFromStatus(error.code, error.rawMessage, details === null ? undefined : Buffer.from(details, 'base64'));
}
