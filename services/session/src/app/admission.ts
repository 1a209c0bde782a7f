import { createTokenBuckets, type ParleyError } from '@parley/rpc';
import type { Clock, Ids } from '@parley/runtime';
import type { SessionConfig } from '../config.ts';
import { spread } from '../domain/backoff.ts';
import { type ClientVersion, isOlder, parseVersion } from '../domain/client-version.ts';
import { sessionErrors as err } from '../errors.ts';

interface AdmissionDeps {
  readonly config: SessionConfig;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'fraction'>;
  /** Streams held now, those that open included. */
  readonly held: () => number;
  /** Whether devices may be opened. */
  readonly leased: () => boolean;
  readonly stopping: () => boolean;
}

/** Decides who may open a stream now. Returns the refusal, or undefined. */
export type Admission = (client: ClientVersion | undefined, tokenExpiresMs: number) => ParleyError | undefined;

export function createAdmission({ config, clock, ids, held, leased, stopping }: AdmissionDeps): Admission {
  const minimum = parseVersion(config.minimumClientVersion) as readonly [number, number, number];
  const connects = createTokenBuckets({
    ratePerSecond: config.connectsPerSecond,
    burst: config.connectBurst,
    clock,
    maxKeys: 1,
  });
  const later = (waitMs: number) => waitMs + spread(config.connectRetrySpreadMs, ids.fraction());

  return (client, tokenExpiresMs) => {
    if (client && isOlder(client.numbers, minimum)) {
      const params = { version: client.numbers.join('.'), minimum: config.minimumClientVersion };
      return err('session.client_too_old', { field: 'client_version', params });
    }
    if (tokenExpiresMs <= clock.now()) return err('session.token_expired');
    if (stopping()) return err('session.shutting_down', { retryAfterMs: later(0) });
    if (!leased()) return err('session.not_ready', { retryAfterMs: later(1_000) });
    if (held() >= config.maxSessions) return err('session.too_many_sessions', { retryAfterMs: later(1_000) });
    const waitMs = connects.take('connect');
    return waitMs > 0 ? err('session.too_many_connects', { retryAfterMs: later(waitMs) }) : undefined;
  };
}
