import { type Clock, createLoop } from '@parley/runtime';
import type { SessionConfig } from '../config.ts';
import type { SessionEvents } from '../events.ts';
import type { PresenceReader } from '../ports/presence-reader.ts';
import type { FlushGate } from './flush-gate.ts';
import type { PresenceBoard } from './presence-board.ts';

interface DigestDeps {
  readonly config: SessionConfig;
  readonly clock: Clock;
  readonly presence: PresenceReader;
  readonly board: PresenceBoard;
  readonly gate: FlushGate;
  readonly events: SessionEvents;
}

/** Finds the changes of presence that the bus lost. */
export interface DigestCheck {
  start(): void;
  /** Compares now, after the comparison under way if there is one. */
  run(): Promise<void>;
  stop(): void;
}

export function createDigestCheck({ config, clock, presence, board, gate, events }: DigestDeps): DigestCheck {
  const loop = createLoop({ clock, everyMs: config.digestIntervalMs, turn: run });
  let stopped = false;
  let tail: Promise<void> = Promise.resolve();
  let queued = false;

  async function compare(): Promise<void> {
    queued = false;
    if (stopped) return;
    try {
      await gate.pass();
      const digests = board.digests();
      let repaired = 0;
      for (let at = 0; at < digests.length; at += config.digestBatch) {
        if (stopped) return;
        repaired += board.repair(await presence.newer(digests.slice(at, at + config.digestBatch)));
      }
      if (stopped) return;
      board.resolveAgain();
      events.digestsCompared(digests.length, repaired);
    } catch (error) {
      if (!stopped) events.digestsFailed(error);
    }
  }

  function run(): Promise<void> {
    if (!queued) {
      queued = true;
      tail = tail.then(compare);
    }
    return tail;
  }

  return {
    start: () => loop.start(),
    run,
    stop() {
      stopped = true;
      void loop.stop();
    },
  };
}
