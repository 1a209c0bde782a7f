import type { Span } from '@opentelemetry/api';
import type { Timer } from '@parley/runtime';
import { anonymous, type CallContext, type Principal } from './context.ts';
import type { ParleyError } from './errors.ts';
import { type CallMetadata, type MetadataField, ResponseMetadata } from './metadata.ts';
import type { RegisteredMethod } from './method.ts';
import type { StreamSink } from './service.ts';
import { newTraceparent, parseTraceparent } from './trace.ts';

/** Something that ends when the call it works for does. */
export interface Follower {
  onLeaderAborted(reason: ParleyError): void;
}

/**
 * One call on its way through the pipeline; the transports extend it. It is the handler's context at the same time, so
 * that a call costs one object. What is rarely used (signal, trace) is made on first use.
 */
export abstract class Call implements CallContext, Follower {
  readonly method: RegisteredMethod;
  requestId: string;
  principal: Principal = anonymous;
  token: string | undefined = undefined;
  deadlineMs: number | undefined = undefined;

  /** For the pipeline only. */
  /** By the monotonic clock; -1 before the pipeline has seen the call. */
  startedAt = -1;
  finished = false;
  admitted = false;
  timer: Timer | undefined = undefined;
  span: Span | undefined = undefined;

  #traceparent: string | undefined;
  #traced = false;
  #controller: AbortController | undefined = undefined;
  #reason: ParleyError | undefined = undefined;
  #metadata: ResponseMetadata | undefined = undefined;
  #followers: Set<Follower> | undefined = undefined;

  constructor(method: RegisteredMethod, requestId: string, traceparent: string | undefined) {
    this.method = method;
    this.requestId = requestId;
    this.#traceparent = traceparent;
  }

  /** The decoded request; called once, after the caller was admitted. Throws refusals. */
  abstract readRequest(): unknown;
  /** Sends the response of a unary call. */
  abstract respond(message: unknown): void;
  /** Ends a stream well. */
  abstract end(): void;
  /** Sends a refusal; nothing follows. */
  abstract refuse(error: ParleyError): void;
  /** Remote address; worked out only when asked for. */
  abstract get peer(): string;
  /** Where a stream's messages go. */
  abstract get sink(): StreamSink;

  get metadata(): CallMetadata {
    this.#metadata ??= new ResponseMetadata(() => this.readMetadata());
    return this.#metadata;
  }

  /** What the handler wants to send beside the response; undefined when it has never asked for metadata. */
  protected get responseMetadata(): ResponseMetadata | undefined {
    return this.#metadata;
  }

  /** The fields that came with the request. */
  protected readMetadata(): MetadataField[] {
    return [];
  }

  get traceparent(): string | undefined {
    if (!this.#traced) {
      this.#traced = true;
      if (!parseTraceparent(this.#traceparent)) this.#traceparent = newTraceparent();
    }
    return this.#traceparent;
  }

  /** What the caller sent, if it is a `traceparent`. */
  get receivedTraceparent(): string | undefined {
    return parseTraceparent(this.#traceparent) ? this.#traceparent : undefined;
  }

  set traceparent(value: string | undefined) {
    this.#traced = true;
    this.#traceparent = value;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get abortReason(): ParleyError | undefined {
    return this.#reason;
  }

  /** Tells the handler, and the local calls it made, that nobody waits any longer. */
  abort(reason: ParleyError): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    const followers = this.#followers;
    if (followers) {
      this.#followers = undefined;
      for (const follower of followers) follower.onLeaderAborted(reason);
    }
  }

  /** A call made while this one is served; it ends with this one. Cheaper than listening to a signal. */
  addFollower(follower: Follower): void {
    if (this.#reason) return follower.onLeaderAborted(this.#reason);
    this.#followers ??= new Set();
    this.#followers.add(follower);
  }

  removeFollower(follower: Follower): void {
    this.#followers?.delete(follower);
  }

  /** The call on whose behalf this one is made has been aborted. */
  onLeaderAborted(_reason: ParleyError): void {}
}
