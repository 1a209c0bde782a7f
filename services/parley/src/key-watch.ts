import { type Clock, createLoop, type Logger, type Metrics, type Module } from '@parley/runtime';
import type { Keys } from './keys.ts';

interface KeyWatchDeps {
  readonly keys: Keys;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly reloadMs: number;
}

/** Lets a running process follow its key files: new ones are known, and sign when it is their turn. */
export function watchKeys({ keys, clock, logger, metrics, reloadMs }: KeyWatchDeps): Module & { reload(): void } {
  const reloads = metrics.counter<'outcome'>({
    name: 'parley_key_reloads_total',
    help: 'Changes of key files found, by outcome: taken or refused.',
    labels: ['outcome'],
  });
  const since = metrics.gauge<'family'>({
    name: 'parley_key_signs_from_seconds',
    help: 'When the key that signs now was to begin, by family, seconds since 1970-01-01 UTC; the first keys have a small number.',
    labels: ['family'],
  });
  const loop = createLoop({ clock, everyMs: reloadMs, turn: reload });
  let refusal: string | undefined;

  function measure(): readonly string[] {
    const signing = keys.list().filter(key => key.signs);
    for (const { family, signsFromMs } of signing) since.set(Math.floor(signsFromMs / 1000), { family });
    return signing.map(({ base }) => base);
  }

  function reload(): void {
    try {
      const changed = keys.refresh();
      refusal = undefined;
      if (!changed) return;
      reloads.inc({ outcome: 'taken' });
      logger.info('keys.changed', { signing: measure(), known: keys.list().length });
    } catch (error) {
      // said once: the same files are no better at the next look
      if (refusal === (error as Error).message) return;
      refusal = (error as Error).message;
      reloads.inc({ outcome: 'refused' });
      logger.error('keys.refused', { err: error });
    }
  }

  return {
    name: 'keys',
    reload,
    async start() {
      measure();
      loop.start();
    },
    stop: () => loop.stop(),
  };
}
