import { EventLogError } from '../../errors.ts';
import { KafkaFailure } from './cluster.ts';
import type { ProtocolError } from './kafkajs-internals.ts';

/** Name and text of an error of the protocol. */
export function describe(err: ProtocolError): { type: string; message: string } {
  return { type: err.type ?? err.name, message: err.message };
}

/** Name of the error that all started with, below the library's wrappings. */
export function failureType(err: unknown): string {
  const { errors, cause, type, name, partitions } = err as {
    errors?: unknown[];
    cause?: unknown;
    type?: string;
    name?: string;
    partitions?: { error: unknown }[];
  };
  if (partitions?.[0] !== undefined) return failureType(partitions[0].error);
  if (errors?.[0] !== undefined) return failureType(errors[0]);
  if (type !== undefined) return type;
  if (cause instanceof Error) return failureType(cause);
  return name ?? 'Error';
}

const HOPELESS =
  /AUTHORIZATION|AUTHENTICATION|SASL|UNSUPPORTED|INVALID_|POLICY|OFFSET_OUT_OF_RANGE|TypeError|RangeError/;

/** `sent` tells whether the request may have reached a broker. */
export function asFailure(err: unknown, sent: boolean): KafkaFailure {
  if (err instanceof KafkaFailure) return err;
  const type = failureType(err);
  const message = err instanceof Error ? err.message : String(err);
  return new KafkaFailure(type, message, { sent, retriable: !HOPELESS.test(type), cause: err });
}

/** What every call says of a topic that does not exist. */
export function unknownTopic(topic: string): EventLogError {
  return new EventLogError('unknown_topic', `topic ${topic} does not exist`);
}
