/** Values a log line may carry. Never pass anything secret or said by a person. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

/** Fields of a line about an error: besides plain values, `err` may be whatever was thrown. */
export type ErrorLogFields = LogFields | (Readonly<Record<string, unknown>> & { readonly err: unknown });

/**
 * Structured log, one JSON object a line. `event` is a stable dotted name (`im.message.stored`), never a sentence with
 * values in it.
 */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  /** `error` under `fields.err` is logged as name, message and stack. */
  error(event: string, fields?: ErrorLogFields): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}
