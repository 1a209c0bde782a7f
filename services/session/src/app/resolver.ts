import { type ErrorKind, ParleyError } from '@parley/rpc';
import type { Clock, Ids, Timer } from '@parley/runtime';
import type { SessionConfig } from '../config.ts';
import { backoff } from '../domain/backoff.ts';
import type { SessionEvents } from '../events.ts';
import type { PresenceReader, ResolvedPresence } from '../ports/presence-reader.ts';
import type { FlushGate } from './flush-gate.ts';
import type { PresenceBoard } from './presence-board.ts';

/** Most people in one question to presence. */
const QUESTION = 1_000;
/** Refusals that a repetition would meet again. */
const FINAL: ReadonlySet<ErrorKind> = new Set(['invalid', 'forbidden', 'unimplemented']);

interface ResolverDeps {
  readonly config: SessionConfig;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'fraction'>;
  readonly presence: PresenceReader;
  readonly board: PresenceBoard;
  readonly gate: FlushGate;
  readonly events: SessionEvents;
}

/** Finds out at what level watchers see people. */
export interface Resolver {
  /** Soon asks presence what `watcherId` may see of these people, and again until it knows. */
  request(watcherId: string, personIds: Iterable<string>): void;
  stop(): void;
}

/**
 * Questions are gathered by watcher and asked with limited concurrency; a failure makes all of them wait, longer each
 * time. Before a question the subscriptions that tell of changes after its answer must stand.
 */
export function createResolver(deps: ResolverDeps): Resolver {
  const { config, clock, ids, presence, board, gate, events } = deps;
  const waiting = new Map<string, Set<string>>();
  const later = new Set<Timer>();
  let running = 0;
  let failures = 0;
  let pause: Timer | undefined;
  let stopped = false;

  function request(watcherId: string, personIds: Iterable<string>): void {
    if (stopped) return;
    const people = waiting.get(watcherId) ?? new Set<string>();
    for (const personId of personIds) people.add(personId);
    if (people.size === 0) return;
    waiting.set(watcherId, people);
    pump();
  }

  function pump(): void {
    for (;;) {
      if (stopped || pause || running >= config.resolveConcurrency) return;
      const next = waiting.entries().next();
      if (next.done) return;
      const [watcherId, people] = next.value;
      const batch = people.size <= QUESTION ? [...people] : [...people].slice(0, QUESTION);
      for (const personId of batch) people.delete(personId);
      if (people.size === 0) waiting.delete(watcherId);
      running++;
      void ask(watcherId, batch).finally(() => {
        running--;
        pump();
      });
    }
  }

  async function ask(watcherId: string, people: readonly string[]): Promise<void> {
    try {
      if (!board.listening(people)) await gate.pass();
      const answers = await presence.resolve(watcherId, people);
      failures = 0;
      if (stopped) return;
      const { stale, unheard } = board.resolved(watcherId, answers);
      events.resolved(people.length);
      if (stale.length > 0) requestLater(watcherId, stale, 1);
      if (unheard.length > 0) await compare(unheard);
    } catch (error) {
      failed(watcherId, people, error);
    }
  }

  /** Views first listened to because of an answer may have changed between the answer and the listening. */
  async function compare(unheard: readonly ResolvedPresence[]): Promise<void> {
    await gate.pass();
    if (!stopped) board.repair(await presence.newer(unheard));
  }

  function failed(watcherId: string, people: readonly string[], error: unknown): void {
    if (stopped) return;
    const final = error instanceof ParleyError && FINAL.has(error.kind);
    events.resolveFailed(error, !final);
    if (final) return;
    failures++;
    const wait = backoff(failures, config.resolveRetryMs, config.resolveRetryMaxMs, ids.fraction());
    pause ??= clock.timer(wait, () => {
      pause = undefined;
      pump();
    });
    request(watcherId, people);
  }

  function requestLater(watcherId: string, people: readonly string[], attempt: number): void {
    const wait = backoff(attempt, config.resolveRetryMs, config.resolveRetryMaxMs, ids.fraction());
    const timer = clock.timer(wait, () => {
      later.delete(timer);
      request(watcherId, people);
    });
    later.add(timer);
  }

  return {
    request,
    stop() {
      stopped = true;
      pause?.cancel();
      for (const timer of later) timer.cancel();
      waiting.clear();
    },
  };
}
