import { readFileSync } from 'node:fs';
import type { connectNatsBus } from '@parley/bus';
import type { connectKafkaEventLog } from '@parley/event-log';
import type { ParleyConfig } from './config.ts';
import { filesOf, wantsTls } from './config-parts.ts';

type Mongo = ParleyConfig['pool']['mongo'];
type NatsOptions = Partial<Parameters<typeof connectNatsBus>[0]>;
type KafkaOptions = Partial<Parameters<typeof connectKafkaEventLog>[0]>;

const secretOf = (file: string): string => readFileSync(file, 'utf8').replace(/\r?\n$/, '');

/** The connection string with user, password and TLS of the other settings put into it. Never logged. */
export function mongoUrl({ url, user, passwordFile, tls }: Mongo): string {
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
export function natsOptions({ servers, user, tls, ...rest }: ParleyConfig['pool']['nats']) {
  return {
    servers,
    ...(user !== '' && { user }),
    ...filesOf(rest),
    ...(wantsTls(tls) && { tls: filesOf(tls) }),
  } satisfies NatsOptions;
}

/** How to reach Kafka, who we are there, and how topics are made. */
export function kafkaOptions({ sasl, tls, ...rest }: ParleyConfig['pool']['kafka']) {
  const { mechanism, username, passwordFile } = sasl;
  return {
    ...rest,
    ...(mechanism !== 'none' && { sasl: { mechanism, username, passwordFile } }),
    ...(wantsTls(tls) && { tls: filesOf(tls) }),
  } satisfies KafkaOptions;
}
