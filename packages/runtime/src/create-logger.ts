import pino from 'pino';
import type { LogFields, Logger } from './logger.ts';

/** Least severe level that is written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Where lines go; each call gets one whole line with its line feed. */
export interface LogDestination {
  write(line: string): void;
}

/** Settings of {@link createLogger}. */
export interface LoggerOptions {
  readonly level: LogLevel;
  /** Name of the process's part, field `service` of every line. */
  readonly service: string;
  /** Default: standard output, written at once. */
  readonly destination?: LogDestination;
}

/** Names that must never reach a log; a safety net below the rule that nobody passes them. */
const secretKeys = [
  'token',
  'accessToken',
  'access_token',
  'refreshToken',
  'refresh_token',
  'password',
  'newPassword',
  'currentPassword',
  'secret',
  'authorization',
  'cookie',
  'privateKey',
  'privateKeyPem',
];

/**
 * JSON lines: `{"level":"info","time":"2026-01-05T09:00:00.000Z","service":"im","event":"im.message.stored",…}`. Values
 * under names such as `token`, `password` or `authorization` are replaced by `[secret]`, and objects are left out.
 */
export function createLogger(options: LoggerOptions): Logger {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: { service: options.service },
    messageKey: 'event',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }), log: plainOnly },
    redact: { paths: secretKeys, censor: '[secret]' },
    serializers: { err: serialiseError },
  };
  return wrap(pino(settings, options.destination ?? pino.destination({ dest: 1, sync: true })));
}

/**
 * Keeps scalars, lists of text and `err`. An object handed over by mistake (a session, a request) would bring tokens and
 * what people said along; it is left out and named in `omitted`.
 */
function plainOnly(fields: Record<string, unknown>): Record<string, unknown> {
  let omitted: string[] | undefined;
  for (const [name, value] of Object.entries(fields)) {
    const plain =
      value === null ||
      typeof value !== 'object' ||
      name === 'err' ||
      (Array.isArray(value) && value.every(item => typeof item === 'string'));
    if (!plain) (omitted ??= []).push(name);
  }
  if (!omitted) return fields;
  const kept = Object.entries(fields).filter(([name]) => !omitted.includes(name));
  return { ...Object.fromEntries(kept), omitted };
}

/** Name, code, message, stack and cause of whatever was thrown, and none of an error's other properties. */
function serialiseError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { name: typeof error, message: String(error) };
  const code = (error as { code?: unknown }).code;
  return {
    name: error.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    message: error.message,
    stack: error.stack,
    ...(error.cause === undefined || depth >= 4 ? {} : { cause: serialiseError(error.cause, depth + 1) }),
  };
}

function wrap(inner: pino.Logger): Logger {
  return {
    debug: (event, fields) => (fields ? inner.debug(fields, event) : inner.debug(event)),
    info: (event, fields) => (fields ? inner.info(fields, event) : inner.info(event)),
    warn: (event, fields) => (fields ? inner.warn(fields, event) : inner.warn(event)),
    error: (event, fields) => (fields ? inner.error(fields, event) : inner.error(event)),
    child: (fields: LogFields) => wrap(inner.child(fields)),
  };
}
