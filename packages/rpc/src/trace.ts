import { randomFillSync } from 'node:crypto';
import {
  type Attributes,
  context,
  isSpanContextValid,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

/** Parts of a W3C `traceparent` header. https://www.w3.org/TR/trace-context/ */
export interface TraceParent {
  /** 32 hexadecimal digits, not all 0. */
  readonly traceId: string;
  /** 16 hexadecimal digits, not all 0. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads a `traceparent`; undefined for anything that is not one (a receiver then starts a trace of its own). */
export function parseTraceparent(header: string | undefined): TraceParent | undefined {
  if (header === undefined || header.length < 55 || header.length > 128) return undefined;
  const match = pattern.exec(header);
  if (!match || (header.startsWith('00') && header.length !== 55)) return undefined;
  return {
    traceId: match[1] as string,
    spanId: match[2] as string,
    sampled: (parseInt(match[3] as string, 16) & 1) === 1,
  };
}

/** Writes a `traceparent` of version 00. */
export function formatTraceparent(parent: TraceParent): string {
  return `00-${parent.traceId}-${parent.spanId}-${parent.sampled ? '01' : '00'}`;
}

/** A trace that begins here. Not sampled, unless told so: without a tracer nobody records it. */
export function newTraceparent(sampled = false): string {
  return `00-${randomHex(16)}-${randomHex(8)}-${sampled ? '01' : '00'}`;
}

/** The same trace with a span id of our own; a new trace when `parent` is not a traceparent. */
export function childTraceparent(parent: string | undefined): string {
  const parsed = parseTraceparent(parent);
  return parsed ? formatTraceparent({ ...parsed, spanId: randomHex(8) }) : newTraceparent();
}

const pool = Buffer.alloc(4096);
let used = pool.length;

/** Trace ids need to be unique, not secret; one system call serves many of them. */
function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  const hex = pool.toString('hex', used - bytes, used);
  return /[1-9a-f]/.test(hex) ? hex : randomHex(bytes);
}

/** Adds the trace to headers of bus or log. */
export function injectTrace(headers: Record<string, string>, traceparent: string | undefined): Record<string, string> {
  if (traceparent !== undefined) headers.traceparent = traceparent;
  return headers;
}

/** The valid `traceparent` of headers, if there is one. */
export function extractTrace(headers: Readonly<Record<string, string | undefined>> | undefined): string | undefined {
  const header = headers?.traceparent;
  return parseTraceparent(header) ? header : undefined;
}

const tracer = trace.getTracer('parley');

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

/**
 * Starts a span below `traceparent` and returns it with the `traceparent` to pass on. Without an OpenTelemetry SDK in
 * the process the span records nothing and the caller's `traceparent` is passed on. `kind`: `server` and `consumer` take
 * what others sent, `producer` hands on what others take.
 */
export function startSpan(
  name: string,
  traceparent: string | undefined,
  attributes: Attributes = {},
  kind: 'internal' | 'server' | 'producer' | 'consumer' = 'internal',
): { span: Span; traceparent: string | undefined } {
  const remote = parseTraceparent(traceparent);
  const parent = remote
    ? trace.setSpanContext(context.active(), {
        traceId: remote.traceId,
        spanId: remote.spanId,
        traceFlags: remote.sampled ? 1 : 0,
        isRemote: true,
      })
    : context.active();
  const span = tracer.startSpan(name, { attributes, kind: KINDS[kind] }, parent);
  const own = span.spanContext();
  // also where it is not recorded: everybody must decide alike by the trace's id
  const header = isSpanContextValid(own)
    ? formatTraceparent({ traceId: own.traceId, spanId: own.spanId, sampled: (own.traceFlags & 1) === 1 })
    : traceparent;
  return { span, traceparent: header };
}

/** Ends a span; one with an error counts as failed. What the error says is not recorded: it may name people. */
export function endSpan(span: Span, error?: unknown): void {
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** Runs `work` inside a span of its own; a rejection marks the span as failed and goes on. */
export async function withSpan<T>(
  name: string,
  traceparent: string | undefined,
  work: (traceparent: string | undefined) => Promise<T>,
): Promise<T> {
  const started = startSpan(name, traceparent);
  try {
    const result = await work(started.traceparent);
    endSpan(started.span);
    return result;
  } catch (error) {
    endSpan(started.span, error);
    throw error;
  }
}
