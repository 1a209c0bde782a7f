import type { Clock } from '@parley/runtime';
import type { ImConfig } from '../config.ts';
import { imErrors } from '../errors.ts';
import type { Telemetry } from '../events.ts';
import type { PeopleCache } from './people-cache.ts';

export interface ReaderDeps {
  readonly clock: Clock;
  readonly people: Pick<PeopleCache, 'known' | 'load'>;
  readonly settings: Pick<ImConfig, 'readerMaxAgeMs' | 'readerWaitMs'>;
  readonly telemetry: Telemetry;
}

/**
 * Refuses whoever was disabled or deleted while his token still stands. What is remembered may be older than for a send:
 * a change is announced, and the token ends soon. While the directory is silent people go on reading what is theirs.
 */
export function createCheckReader(deps: ReaderDeps): (personId: string) => Promise<void> | undefined {
  const { clock, people, settings, telemetry } = deps;

  async function ask(personId: string): Promise<void> {
    const { promise: silence, resolve } = Promise.withResolvers<undefined>();
    const timer = clock.timer(settings.readerWaitMs, () => resolve(undefined));
    const answer = people.load([personId]).catch(() => undefined);
    const found = await Promise.race([answer, silence]);
    timer.cancel();
    if (!found || found[0]?.enabled) return;
    telemetry.readerRefused();
    throw imErrors('im.account_disabled');
  }

  return personId => (people.known(personId, settings.readerMaxAgeMs)?.enabled ? undefined : ask(personId));
}
