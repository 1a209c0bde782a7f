import { getCACertificates } from 'node:tls';
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import {
  ChannelCredentials,
  type ChannelOptions,
  Client,
  connectivityState,
  type CallOptions as GrpcCallOptions,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { type Clock, systemClock, type TlsSource } from '@parley/runtime';
import { Call, type Follower } from './call.ts';
import type { CallOptions, Channel } from './channel.ts';
import type { ParleyError } from './errors.ts';
import { rpcErrors } from './rpc-errors.ts';
import { asParleyError, errorFromStatus } from './status.ts';
import { renewedChannelCredentials } from './tls.ts';

/** Settings of {@link createGrpcChannel}. Times in milliseconds. */
export interface GrpcChannelOptions {
  /** `host:port`, or several; a name that resolves to several addresses is used in turn as well. */
  readonly target: string | readonly string[];
  /** The calling service's own token, see `createServiceTokenSource` of `@parley/auth`. */
  readonly serviceTokens: () => string | Promise<string>;
  readonly clock?: Clock;
  /** PEM texts, or a source that may renew them; without `tls` the connection is in clear. */
  readonly tls?: { readonly ca?: string; readonly key?: string; readonly cert?: string } | TlsSource;
  /** Of unary calls that ask for none, default 10,000. */
  readonly defaultTimeoutMs?: number;
  /** A silent connection is asked for a sign of life after this time, default 30,000. */
  readonly keepaliveMs?: number;
  /** Default 10,000. */
  readonly keepaliveTimeoutMs?: number;
  /** Longest pause between two tries to connect, default 5,000. */
  readonly maxReconnectMs?: number;
  /** Largest response, bytes, default 8 MiB. */
  readonly maxMessageBytes?: number;
}

/** A channel to services of other processes. */
export interface GrpcChannel extends Channel {
  /** Resolves when a connection stands; rejects with `rpc.unavailable` after `timeoutMs`. */
  ready(timeoutMs: number): Promise<void>;
  /** Ends the connections; calls under way are cancelled. */
  close(): void;
}

/** Connects at once and keeps connections warm. */
export function createGrpcChannel(options: GrpcChannelOptions): GrpcChannel {
  return new Remote(options);
}

const identity = (bytes: Buffer) => bytes;

type Cancellable = { cancel(): void };

class Remote implements GrpcChannel {
  readonly #o: GrpcChannelOptions;
  readonly #clock: Clock;
  readonly #clients: readonly Client[];
  readonly #paths = new WeakMap<object, string>();
  #next = 0;

  constructor(options: GrpcChannelOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
    const targets = typeof options.target === 'string' ? [options.target] : options.target;
    if (targets.length === 0) throw new Error('a channel needs an address');
    this.#clients = targets.map(target => new Client(target, credentials(options), channelOptions(options)));
    for (const client of this.#clients) client.getChannel().getConnectivityState(true);
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: { input: I; output: O; name: string; parent: { typeName: string } },
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): Promise<MessageShape<O>> {
    return new Promise((resolve, reject) => {
      const timeoutMs = this.#timeout(options, options?.timeoutMs ?? this.#o.defaultTimeoutMs ?? 10_000);
      const begin = (token: string) => {
        if (timeoutMs !== undefined && timeoutMs <= 0) throw rpcErrors('rpc.deadline_exceeded');
        const bytes = encode(method.input, request);
        const link = new Link(options);
        const call = this.#client().makeUnaryRequest(
          this.#path(method),
          identity,
          identity,
          bytes,
          metadataOf(token, options),
          deadlineOf(timeoutMs),
          (error, answer) => {
            link.release();
            if (error) reject(errorOf(error));
            else resolve(fromBinary(method.output, answer as Buffer));
          },
        );
        link.bind(call);
      };
      try {
        const token = this.#o.serviceTokens();
        if (typeof token === 'string') begin(token);
        else token.then(begin).catch((error: unknown) => reject(asParleyError(error)));
      } catch (error) {
        reject(asParleyError(error));
      }
    });
  }

  async *stream<I extends DescMessage, O extends DescMessage>(
    method: { input: I; output: O; name: string; parent: { typeName: string } },
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): AsyncIterable<MessageShape<O>> {
    const timeoutMs = this.#timeout(options, options?.timeoutMs);
    if (timeoutMs !== undefined && timeoutMs <= 0) throw rpcErrors('rpc.deadline_exceeded');
    const bytes = encode(method.input, request);
    const token = await this.#o.serviceTokens();
    const link = new Link(options);
    const call = this.#client().makeServerStreamRequest(
      this.#path(method),
      identity,
      identity,
      bytes,
      metadataOf(token, options),
      deadlineOf(timeoutMs),
    );
    link.bind(call);
    try {
      for await (const answer of call) yield fromBinary(method.output, answer as Buffer);
    } catch (error) {
      throw errorOf(error as ServiceError);
    } finally {
      link.release();
      call.cancel();
    }
  }

  #timeout(options: CallOptions | undefined, wanted: number | undefined): number | undefined {
    const end = options?.context?.deadlineMs;
    if (end === undefined) return wanted;
    const left = end - this.#clock.now();
    return wanted === undefined ? left : Math.min(left, wanted);
  }

  #path(method: { name: string; parent: { typeName: string } }): string {
    let path = this.#paths.get(method);
    if (path === undefined) {
      path = `/${method.parent.typeName}/${method.name}`;
      this.#paths.set(method, path);
    }
    return path;
  }

  /** The next client whose connection is not known to fail. */
  #client(): Client {
    const clients = this.#clients;
    for (let i = 0; i < clients.length; i++) {
      const client = clients[this.#next++ % clients.length] as Client;
      if (clients.length === 1) return client;
      if (client.getChannel().getConnectivityState(true) !== connectivityState.TRANSIENT_FAILURE) return client;
    }
    return clients[this.#next++ % clients.length] as Client;
  }

  async ready(timeoutMs: number): Promise<void> {
    const deadline = systemClock.now() + timeoutMs;
    const waits = this.#clients.map(
      client => new Promise<void>((resolve, reject) => client.waitForReady(deadline, e => (e ? reject(e) : resolve()))),
    );
    await Promise.any(waits).catch(cause => {
      throw rpcErrors('rpc.unavailable', { cause });
    });
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

/** Cancels a call when the one it is made for ends. */
class Link implements Follower {
  readonly #options: CallOptions | undefined;
  #call: Cancellable | undefined = undefined;

  constructor(options: CallOptions | undefined) {
    this.#options = options;
    if (options?.signal?.aborted) throw rpcErrors('rpc.cancelled');
  }

  bind(call: Cancellable): void {
    this.#call = call;
    const { context, signal } = this.#options ?? {};
    if (context instanceof Call) context.addFollower(this);
    else context?.signal.addEventListener('abort', this.onLeaderAborted, { once: true });
    signal?.addEventListener('abort', this.onLeaderAborted, { once: true });
  }

  readonly onLeaderAborted = (): void => this.#call?.cancel();

  release(): void {
    const { context, signal } = this.#options ?? {};
    if (context instanceof Call) context.removeFollower(this);
    else context?.signal.removeEventListener('abort', this.onLeaderAborted);
    signal?.removeEventListener('abort', this.onLeaderAborted);
  }
}

function encode<I extends DescMessage>(desc: I, request: MessageInitShape<I>): Buffer {
  const bytes = toBinary(desc, create(desc, request));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function metadataOf(token: string, options: CallOptions | undefined): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const context = options?.context;
  if (context) {
    if (context.token !== undefined) metadata.set('x-parley-person-token', context.token);
    metadata.set('x-request-id', context.requestId);
    if (context.traceparent !== undefined) metadata.set('traceparent', context.traceparent);
  }
  return metadata;
}

/** The library compares with the machine's clock. */
function deadlineOf(timeoutMs: number | undefined): GrpcCallOptions {
  return timeoutMs === undefined ? {} : { deadline: systemClock.now() + timeoutMs };
}

function errorOf(error: ServiceError): ParleyError {
  if (typeof error.code !== 'number') return asParleyError(error);
  const details = error.metadata?.get('grpc-status-details-bin')[0];
  return errorFromStatus(error.code, error.details, details instanceof Uint8Array ? details : undefined);
}

function credentials({ tls }: GrpcChannelOptions): ChannelCredentials {
  if (!tls) return ChannelCredentials.createInsecure();
  if ('onChange' in tls) return renewedChannelCredentials(tls, () => getCACertificates('default').join('\n'));
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  return ChannelCredentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert));
}

function channelOptions(options: GrpcChannelOptions): ChannelOptions {
  return {
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    'grpc.service_config_disable_resolution': 1,
    'grpc.keepalive_time_ms': options.keepaliveMs ?? 30_000,
    'grpc.keepalive_timeout_ms': options.keepaliveTimeoutMs ?? 10_000,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.client_idle_timeout_ms': 2 ** 31 - 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': options.maxReconnectMs ?? 5000,
    'grpc.max_receive_message_length': options.maxMessageBytes ?? 8 * 1024 * 1024,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_channelz': 0,
  };
}
