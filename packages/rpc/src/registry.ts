import type { DescService } from '@bufbuild/protobuf';
import { SpanStatusCode } from '@opentelemetry/api';
import type { Clock, Ids, Logger, Metrics } from '@parley/runtime';
import { authorise } from './access.ts';
import type { Authenticator } from './authenticator.ts';
import type { Call } from './call.ts';
import { type Principal, personIn } from './context.ts';
import type { ParleyError } from './errors.ts';
import { type RegisteredMethod, registerMethods } from './method.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { rpcErrors } from './rpc-errors.ts';
import type { MountedService } from './service.ts';
import { asParleyError, errorToStatus, statusNames, statusOfKind, type WireStatus } from './status.ts';
import { startSpan } from './trace.ts';

/** Limits of all calls of a process. */
export interface RegistryLimits {
  /** Calls of one person; calls between services are not counted. */
  readonly person?: RateLimiter;
  /** Calls without a token, by remote address. */
  readonly peer?: RateLimiter;
  /** Unary calls under way, default 20,000; past it `rpc.overloaded`. */
  readonly maxInFlight?: number;
  /** Longest deadline a unary call may ask for, milliseconds, default 120,000; longer ones are shortened. */
  readonly maxTimeoutMs?: number;
}

/** What {@link createRegistry} needs. */
export interface RegistryOptions {
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly services?: readonly MountedService[];
  readonly limits?: RegistryLimits;
  /** How refusals look on the wire. Default: {@link errorToStatus}, with an `ErrorInfo` in the details. */
  readonly statusOf?: (error: ParleyError, requestId: string) => WireStatus;
  /** True when an OpenTelemetry SDK is registered: every call gets a span. Default false. */
  readonly tracing?: boolean;
}

/** Every method of a process and the one way to call them. */
export interface Registry {
  /** Adds services; throws when a method lacks its access option or is there already. */
  mount(services: readonly MountedService[]): void;
  /** By path, `/parley.im.v1.ImService/SendMessage`. */
  find(path: string): RegisteredMethod | undefined;
  readonly services: readonly DescService[];
  /** Unique in this process and, by its random beginning, beyond. */
  nextRequestId(): string;
  /** Who these tokens stand for; see {@link Authenticator}. */
  authenticate(bearer: string | undefined, personToken: string | undefined): Principal | Promise<Principal>;
  /** For transports: serves a call that came with these tokens. */
  start(call: Call, bearer: string | undefined, personToken: string | undefined, timeoutMs?: number): void;
  /** For local channels: serves a call whose caller is known already. */
  startAs(call: Call, principal: Principal, timeoutMs?: number): void;
  /** For transports: ends a call with a refusal and counts it; does nothing when it has ended. */
  refuse(call: Call, error: ParleyError): void;
  /** For transports: the caller went away. */
  cancel(call: Call): void;
  /** For transports: how a refusal looks on the wire. */
  readonly statusOf: (error: ParleyError, requestId: string) => WireStatus;
  /** For transports: counts a call of a method that does not exist. */
  countUnknown(): void;
}

/** Makes the registry; see {@link Registry}. */
export function createRegistry(options: RegistryOptions): Registry {
  return new Pipeline(options);
}

const unknownLabels = Object.freeze({ service: 'unknown', method: 'unknown', status: 'UNIMPLEMENTED' });

class Pipeline implements Registry {
  readonly services: DescService[] = [];
  readonly statusOf: Registry['statusOf'];
  readonly #methods = new Map<string, RegisteredMethod>();
  readonly #o: RegistryOptions;
  readonly #maxInFlight: number;
  readonly #maxTimeoutMs: number;
  readonly #idPrefix: string;
  readonly #requests;
  readonly #seconds;
  readonly #streams;
  #ids = 0;
  #inFlight = 0;

  constructor(options: RegistryOptions) {
    this.#o = options;
    this.statusOf = options.statusOf ?? errorToStatus;
    this.#maxInFlight = options.limits?.maxInFlight ?? 20_000;
    this.#maxTimeoutMs = options.limits?.maxTimeoutMs ?? 120_000;
    this.#idPrefix = options.ids.opaque().slice(0, 12);
    this.#requests = options.metrics.counter({
      name: 'parley_rpc_requests_total',
      help: 'Calls that ended, by method and gRPC status.',
      labels: ['service', 'method', 'status'],
    });
    this.#seconds = options.metrics.histogram({
      name: 'parley_rpc_seconds',
      help: 'Time from the arrival of a unary request to its response, seconds.',
      labels: ['service', 'method'],
    });
    this.#streams = options.metrics.gauge({
      name: 'parley_rpc_streams',
      help: 'Server streams open now.',
      labels: ['service', 'method'],
    });
    this.mount(options.services ?? []);
  }

  mount(services: readonly MountedService[]): void {
    for (const mounted of services) {
      const methods = registerMethods(mounted);
      for (const method of methods) {
        if (this.#methods.has(method.path)) throw new Error(`${method.path} is mounted already`);
      }
      for (const method of methods) this.#methods.set(method.path, method);
      this.services.push(mounted.desc);
    }
  }

  find(path: string): RegisteredMethod | undefined {
    return this.#methods.get(path);
  }

  nextRequestId(): string {
    return `${this.#idPrefix}-${(++this.#ids).toString(36)}`;
  }

  start(call: Call, bearer: string | undefined, personToken: string | undefined, timeoutMs?: number): void {
    if (call.finished) return;
    this.#begin(call, timeoutMs);
    if (call.finished) return;
    if (call.method.audience === 'public') {
      const waitMs = this.#o.limits?.peer?.take(call.peer) ?? 0;
      if (waitMs > 0) return this.refuse(call, rateLimited(waitMs));
      return this.#run(call);
    }
    try {
      const principal = this.#o.authenticator.authenticate(bearer, personToken);
      if (principal instanceof Promise) {
        principal.then(
          found => this.#authenticated(call, found, bearer, personToken),
          error => this.refuse(call, asParleyError(error)),
        );
      } else {
        this.#authenticated(call, principal, bearer, personToken);
      }
    } catch (error) {
      this.refuse(call, asParleyError(error));
    }
  }

  authenticate(bearer: string | undefined, personToken: string | undefined): Principal | Promise<Principal> {
    return this.#o.authenticator.authenticate(bearer, personToken);
  }

  startAs(call: Call, principal: Principal, timeoutMs?: number): void {
    this.#begin(call, timeoutMs);
    if (call.finished) return;
    if (call.method.audience === 'public') return this.#run(call);
    try {
      call.principal = authorise(call.method, principal);
    } catch (error) {
      return this.refuse(call, asParleyError(error));
    }
    this.#run(call);
  }

  refuse(call: Call, error: ParleyError): void {
    if (call.finished) return;
    this.#finish(call, statusOfKind(error.kind));
    this.#log(call, error);
    call.refuse(error);
    call.abort(error);
  }

  cancel(call: Call): void {
    if (call.finished) return;
    this.#finish(call, statusOfKind('cancelled'));
    call.abort(rpcErrors('rpc.cancelled'));
  }

  countUnknown(): void {
    this.#requests.inc(unknownLabels);
  }

  #begin(call: Call, timeoutMs: number | undefined): void {
    const { clock } = this.#o;
    call.startedAt = clock.monotonic();
    if (this.#o.tracing) {
      const { path } = call.method;
      const [service = '', method = ''] = path.slice(1).split('/');
      const attributes = { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method };
      const started = startSpan(path.slice(1), call.receivedTraceparent, attributes, 'server');
      call.span = started.span;
      if (started.traceparent !== undefined) call.traceparent = started.traceparent;
    }
    if (timeoutMs === undefined) return;
    const ms = call.method.streaming ? timeoutMs : Math.min(timeoutMs, this.#maxTimeoutMs);
    call.deadlineMs = clock.monotonic() + ms;
    // Timers count whole milliseconds: what is shorter is spent before anything can be done in it.
    if (ms < 1) return this.refuse(call, rpcErrors('rpc.deadline_exceeded'));
    if (ms < 2 ** 31) call.timer = clock.timer(ms, () => this.refuse(call, rpcErrors('rpc.deadline_exceeded')));
  }

  #authenticated(call: Call, found: Principal, bearer: string | undefined, personToken: string | undefined): void {
    if (call.finished) return;
    let principal: Principal;
    try {
      principal = authorise(call.method, found);
    } catch (error) {
      return this.refuse(call, asParleyError(error));
    }
    call.principal = principal;
    call.token = found.kind === 'service' ? personToken : bearer;
    if (found.kind === 'person' && this.#o.limits?.person) {
      const waitMs = this.#o.limits.person.take(found.id);
      if (waitMs > 0) return this.refuse(call, rateLimited(waitMs));
    }
    this.#run(call);
  }

  #run(call: Call): void {
    const { method } = call;
    let result: Promise<unknown>;
    try {
      if (method.streaming) {
        this.#streams.inc(method.timeLabels);
      } else {
        if (this.#inFlight >= this.#maxInFlight) throw rpcErrors('rpc.overloaded', { retryAfterMs: 1000 });
        this.#inFlight++;
      }
      call.admitted = true;
      const request = call.readRequest();
      result = method.streaming ? method.handler(request, call, call.sink) : method.handler(request, call);
    } catch (error) {
      return this.refuse(call, asParleyError(error));
    }
    result.then(
      message => this.#succeeded(call, message),
      error => this.#failed(call, error),
    );
  }

  #succeeded(call: Call, message: unknown): void {
    if (call.finished) return;
    try {
      if (call.method.streaming) call.end();
      else call.respond(message);
    } catch (error) {
      // The handler gave something that cannot be encoded: our fault.
      return this.refuse(call, asParleyError(error));
    }
    this.#finish(call, 0);
  }

  #failed(call: Call, error: unknown): void {
    if (!call.finished) this.refuse(call, asParleyError(error));
  }

  #finish(call: Call, status: number): void {
    call.finished = true;
    const { method } = call;
    call.timer?.cancel();
    this.#requests.inc(method.countLabels[status]);
    if (method.streaming) {
      if (call.admitted) this.#streams.inc(method.timeLabels, -1);
    } else {
      if (call.admitted) this.#inFlight--;
      if (call.startedAt >= 0) {
        this.#seconds.observe((this.#o.clock.monotonic() - call.startedAt) / 1000, method.timeLabels);
      }
    }
    if (call.span) {
      call.span.setAttribute('rpc.grpc.status_code', status);
      if (status !== 0) call.span.setStatus({ code: SpanStatusCode.ERROR, message: statusNames[status] as string });
      call.span.end();
    }
  }

  #log(call: Call, error: ParleyError): void {
    const fields = {
      rpc: call.method.path.slice(1),
      code: error.code,
      requestId: call.requestId,
      traceparent: call.traceparent,
      principal: personIn(call.principal)?.id,
    };
    if (error.kind === 'internal' && error.code !== 'rpc.unexpected_compression')
      this.#o.logger.error('rpc.failed', { ...fields, err: error.cause ?? error });
    else this.#o.logger.debug('rpc.refused', { ...fields, field: error.field });
  }
}

function rateLimited(waitMs: number): ParleyError {
  return rpcErrors('rpc.rate_limited', { retryAfterMs: waitMs, params: { retryAfterMs: waitMs } });
}
