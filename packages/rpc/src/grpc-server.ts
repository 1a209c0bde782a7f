import {
  type ChannelOptions,
  logVerbosity,
  Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { type Clock, type Health, type Logger, type Module, systemClock } from '@parley/runtime';
import { bearerToken } from './authenticator.ts';
import { GrpcStreamCall, GrpcUnaryCall } from './grpc-call.ts';
import { healthService } from './grpc-health.ts';
import { reflectionServices } from './grpc-reflection.ts';
import type { RegisteredMethod } from './method.ts';
import type { Registry } from './registry.ts';
import { rpcErrors } from './rpc-errors.ts';
import { type ServerTls, serverCredentials } from './tls.ts';

/** Settings of {@link createGrpcServer}. Times in milliseconds. */
export interface GrpcServerOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly health: Health;
  readonly host: string;
  /** 0: any free port, see {@link GrpcServer.port}. */
  readonly port: number;
  /** Whether callers with a token may ask what services there are. Default false. */
  readonly reflection?: boolean;
  /** Serves over TLS, 1.2 or newer; with authorities, callers must show a certificate of theirs. */
  readonly tls?: ServerTls;
  /** A silent connection is asked for a sign of life after this time, default 60,000. */
  readonly keepaliveMs?: number;
  /** How long the sign of life may take, default 20,000. */
  readonly keepaliveTimeoutMs?: number;
  /** Connections older than this are closed gently, so that load spreads over new replicas. Default 1,800,000. */
  readonly maxConnectionAgeMs?: number;
  /** Largest message at all, bytes, default 4 MiB; methods have limits of their own below it. */
  readonly maxMessageBytes?: number;
  /** Calls at once on one connection, default 10,000. */
  readonly maxConcurrentCalls?: number;
  /** How long `stop` waits for calls under way, default 10,000. */
  readonly stopTimeoutMs?: number;
  /** Past so many bytes that a reader has not taken, his stream is broken off. Default 8 MiB. */
  readonly maxQueuedBytes?: number;
}

/** The listener for services and native clients. */
export interface GrpcServer extends Module {
  /** Port it listens on, once started. */
  readonly port: number;
}

/** Native gRPC over HTTP/2, with grpc.health.v1 and, if wanted, reflection. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  return new Listener(options);
}

// What the library would print, callers get as an error.
setLogVerbosity(logVerbosity.NONE);

const identity = (bytes: Buffer) => bytes;

class Listener implements GrpcServer {
  readonly name = 'grpc-server';
  readonly #o: GrpcServerOptions;
  readonly #server: Server;
  readonly #streams = new Set<GrpcStreamCall>();
  #port: number | undefined = undefined;
  #stopping: Promise<void> | undefined = undefined;
  #halt: () => void = () => {};

  constructor(options: GrpcServerOptions) {
    this.#o = options;
    this.#server = new Server(channelOptions(options));
  }

  get port(): number {
    if (this.#port === undefined) throw new Error('the gRPC server does not listen');
    return this.#port;
  }

  async start(): Promise<void> {
    const { registry, clock, health, tls } = this.#o;
    for (const service of registry.services) {
      const definition: Record<string, ServiceDefinition[string]> = {};
      const handlers: UntypedServiceImplementation = {};
      for (const desc of service.methods) {
        const method = registry.find(`/${service.typeName}/${desc.name}`) as RegisteredMethod;
        definition[desc.name] = {
          path: method.path,
          requestStream: false,
          responseStream: method.streaming,
          requestSerialize: identity,
          requestDeserialize: identity,
          responseSerialize: identity,
          responseDeserialize: identity,
        };
        handlers[desc.name] = method.streaming ? this.#stream(method) : this.#unary(method);
      }
      this.#server.addService(definition, handlers);
    }
    const probe = healthService(registry, health, clock);
    this.#halt = probe.halt;
    const extra = [probe.service, ...(this.#o.reflection ? reflectionServices(registry) : [])];
    for (const { definition, handlers } of extra) this.#server.addService(definition, handlers);
    this.#port = await new Promise<number>((resolve, reject) => {
      const host = this.#o.host.includes(':') ? `[${this.#o.host}]` : this.#o.host;
      this.#server.bindAsync(`${host}:${this.#o.port}`, serverCredentials(tls), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    this.#o.logger.info('rpc.grpc.listening', { host: this.#o.host, port: this.#port });
  }

  #unary(method: RegisteredMethod) {
    const { registry } = this.#o;
    return (source: ServerUnaryCall<Buffer, Uint8Array>, callback: sendUnaryData<Uint8Array>) => {
      const call = new GrpcUnaryCall(registry, method, source, callback);
      this.#start(call, source);
    };
  }

  #stream(method: RegisteredMethod) {
    const { registry } = this.#o;
    const maxQueuedBytes = this.#o.maxQueuedBytes ?? 8 * 1024 * 1024;
    return (source: ServerWritableStream<Buffer, Uint8Array>) => {
      const call = new GrpcStreamCall(registry, method, source, maxQueuedBytes);
      this.#streams.add(call);
      source.once('close', () => this.#streams.delete(call));
      this.#start(call, source);
    };
  }

  #start(
    call: GrpcUnaryCall | GrpcStreamCall,
    source: ServerUnaryCall<Buffer, Uint8Array> | ServerWritableStream<Buffer, Uint8Array>,
  ): void {
    const { registry, clock } = this.#o;
    const deadline = source.getDeadline();
    const end = deadline instanceof Date ? deadline.getTime() : deadline;
    // the library reckons by the machine's clock, which may be far from the right time
    const timeoutMs = Number.isFinite(end) ? end - systemClock.now() : undefined;
    source.once('cancelled', () => {
      // The library ends calls at their deadline by itself.
      if (call.deadlineMs !== undefined && clock.monotonic() >= call.deadlineMs)
        registry.refuse(call, rpcErrors('rpc.deadline_exceeded'));
      else registry.cancel(call);
    });
    const { metadata } = source;
    const bearer = bearerToken(metadata.get('authorization')[0] as string | undefined);
    registry.start(call, bearer, metadata.get('x-parley-person-token')[0] as string | undefined, timeoutMs);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Takes no new connections, ends streams, waits for unary calls, then closes what is left. */
  async #stop(): Promise<void> {
    this.#halt();
    for (const stream of this.#streams) this.#o.registry.refuse(stream, rpcErrors('rpc.shutting_down'));
    const timer = this.#o.clock.timer(this.#o.stopTimeoutMs ?? 10_000, () => this.#server.forceShutdown());
    await new Promise<void>(resolve => this.#server.tryShutdown(() => resolve()));
    timer.cancel();
    this.#server.forceShutdown();
  }
}

function channelOptions(options: GrpcServerOptions): ChannelOptions {
  const age = options.maxConnectionAgeMs ?? 1_800_000;
  return {
    'grpc.keepalive_time_ms': options.keepaliveMs ?? 60_000,
    'grpc.keepalive_timeout_ms': options.keepaliveTimeoutMs ?? 20_000,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.max_connection_age_ms': age,
    'grpc.max_connection_age_grace_ms': Math.max(age, 60_000),
    'grpc.max_receive_message_length': options.maxMessageBytes ?? 4 * 1024 * 1024,
    'grpc.max_concurrent_streams': options.maxConcurrentCalls ?? 10_000,
    'grpc.enable_channelz': 0,
    'grpc.server_call_metric_recording': 0,
  };
}
