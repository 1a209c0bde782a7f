import type { CommandMemory } from '../domain/command-memory.ts';
import type { SessionOwner } from '../domain/commands.ts';
import type { EndReason } from '../domain/end-reason.ts';
import type { Endpoint } from '../ports/endpoints.ts';
import type { Outlet } from '../ports/outlet.ts';

/** `opening` until Connected was sent; `slow` while everything is dropped. */
export type SessionState = 'opening' | 'live' | 'slow' | 'ended';

/** What a session is made of. */
export interface SessionFacts extends Endpoint, SessionOwner {
  readonly sessionId: string;
  readonly expiresMs: number;
}

/** What may wait for a slow reader. */
export interface QueueLimits {
  readonly queueBytes: number;
  readonly queueEvents: number;
}

/**
 * One open stream. There are tens of thousands in a process, so it holds little: what it watches is in the watch graph,
 * its next due time in the timer wheel, and what few sessions need is made when it is needed.
 */
export class Session implements Endpoint, SessionOwner {
  readonly slot: number;
  readonly sessionId: string;
  readonly connectionId: string;
  readonly personId: string;
  readonly signInId: string;
  readonly endpointId: string;
  readonly outlet: Outlet;
  readonly openedAt: number;
  /** End of the token, milliseconds since 1970-01-01 UTC. */
  expiresMs: number;
  state: SessionState = 'opening';
  /** Tick at which something was last sent. */
  sentTick: number;
  /** Tick at which a slow reader's patience ends. */
  slowTick = 0;
  /** Views wait until the queue is empty, so that a large snapshot does not fill it. */
  refilling = false;
  memory: CommandMemory | undefined = undefined;
  /** The last activity still being told to presence. */
  activity: Promise<void> | undefined = undefined;
  stopCommands: (() => void) | undefined = undefined;
  onClosed: ((reason: EndReason) => void) | undefined = undefined;
  #queuedEvents = 0;

  constructor(slot: number, facts: SessionFacts, outlet: Outlet, tick: number, openedAt: number) {
    this.slot = slot;
    this.sessionId = facts.sessionId;
    this.connectionId = facts.connectionId;
    this.personId = facts.personId;
    this.signInId = facts.signInId;
    this.endpointId = facts.endpointId;
    this.expiresMs = facts.expiresMs;
    this.outlet = outlet;
    this.openedAt = openedAt;
    this.sentTick = tick;
  }

  /** Sends unless too much is waiting; false then. Only for live sessions. */
  offer(frame: Uint8Array, limits: QueueLimits, tick: number): boolean {
    const queued = this.outlet.queuedBytes;
    if (queued === 0) this.#queuedEvents = 0;
    else if (queued > limits.queueBytes || this.#queuedEvents >= limits.queueEvents) return false;
    this.#queuedEvents++;
    this.outlet.sendEncoded(frame);
    this.sentTick = tick;
    return true;
  }
}
