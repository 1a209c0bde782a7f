import { readFileSync } from 'node:fs';
import type { connectNatsBus } from '@parley/bus';
import type { connectKafkaEventLog } from '@parley/event-log';
import type { ParleyConfig } from './config.ts';
import { filesOf, wantsTls } from './config-parts.ts';

type Mongo = ParleyConfig['pool']['mongo'];
type NatsOptions = Partial<Parameters<typeof connectNatsBus>[0]>;
type KafkaOptions = Partial<Parameters<typeof connectKafkaEventLog>[0]>;

const secretOf = (file: string): string => readFileSync(file, 'utf8').replace(/\r?\n$/, '');

/**
 * Settings with `{service}` in them name users and files after services: one at MongoDB, where each service has a
 * connection of its own; elsewhere those of the process, joined by `+`.
 */
export function named<T>(settings: T, services: readonly string[]): T {
  if (typeof settings === 'string') return settings.replaceAll('{service}', services.join('+')) as T;
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) return settings;
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, named(value, services)])) as T;
}

/** The settings for one service's connection. */
export const mongoOf = (mongo: Mongo, service: string): Mongo => named(mongo, [service.replaceAll('-', '_')]);

/** The connection string with user, password and TLS of the other settings put into it. Never logged. */
export function mongoUrl(mongo: Mongo, service: string): string {
  const { url, user, passwordFile, tls } = mongoOf(mongo, service);
  const [scheme, rest] = split(url, '://');
  const secret = passwordFile === '' ? '' : `:${encodeURIComponent(secretOf(passwordFile))}`;
  const identity = user === '' ? '' : `${encodeURIComponent(user)}${secret}@`;
  const [place, query] = split(rest, '?');
  const parameters = new URLSearchParams(query);
  if (wantsTls(tls)) parameters.set('tls', 'true');
  if (tls.caFile !== '') parameters.set('tlsCAFile', tls.caFile);
  if (tls.certificateKeyFile !== '') parameters.set('tlsCertificateKeyFile', tls.certificateKeyFile);
  const text = parameters.toString();
  const slash = place.includes('/') ? '' : '/';
  return `${scheme}://${identity}${place}${text === '' ? '' : `${slash}?${text}`}`;
}

function split(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + mark.length)];
}

/** How to reach NATS and who we are there. */
export function natsOptions(nats: ParleyConfig['pool']['nats'], targets: readonly string[]) {
  const { servers, user, tls, ...rest } = named(nats, targets);
  return {
    servers,
    ...(user !== '' && { user }),
    ...filesOf(rest),
    ...(wantsTls(tls) && { tls: filesOf(tls) }),
  } satisfies NatsOptions;
}

/** How to reach Kafka, who we are there, and how topics are made. */
export function kafkaOptions(kafka: ParleyConfig['pool']['kafka'], targets: readonly string[]) {
  const { sasl, tls, ...rest } = named(kafka, targets);
  const { mechanism, username, passwordFile } = sasl;
  return {
    ...rest,
    ...(mechanism !== 'none' && { sasl: { mechanism, username, passwordFile } }),
    ...(wantsTls(tls) && { tls: filesOf(tls) }),
  } satisfies KafkaOptions;
}
