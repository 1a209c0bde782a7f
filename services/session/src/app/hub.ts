import type { SessionConfig } from '../config.ts';
import { spread } from '../domain/backoff.ts';
import type { EndReason } from '../domain/end-reason.ts';
import { Fifo } from '../domain/fifo.ts';
import type { TimerWheel } from '../domain/timer-wheel.ts';
import type { SentKind, SessionEvents } from '../events.ts';
import type { Frames } from '../ports/frames.ts';
import type { Hints, Stop } from '../ports/hints.ts';
import type { Outlet } from '../ports/outlet.ts';
import { Session, type SessionFacts } from './session.ts';

/** How often the queues of slow readers are looked at. */
const LOOK_MS = 500;

/** What the hub does not do itself. */
export interface HubListener {
  /** The session has left the hub. */
  left(session: Session, reason: EndReason): void;
  /** A slow reader has caught up, or a paused snapshot may go on. */
  drained(session: Session, wasSlow: boolean): void;
}

interface HubDeps {
  readonly config: SessionConfig;
  readonly hints: Hints;
  readonly frames: Frames;
  readonly events: SessionEvents;
  readonly wheel: TimerWheel;
  readonly clock: { now(): number; monotonic(): number };
  readonly ids: { fraction(): number };
}

interface Person {
  readonly sessions: Session[];
  stop: Stop;
  /** Tick at which his last session went. */
  idleTick: number;
}

/** All sessions of the process: who they are, what they are sent, and their end. */
export class Hub {
  readonly sessions: (Session | undefined)[] = [];
  readonly #deps: HubDeps;
  readonly #free: number[] = [];
  readonly #people = new Map<string, Person>();
  readonly #idle = new Fifo<{ readonly personId: string; readonly tick: number }>();
  #listener: HubListener | undefined;
  #count = 0;

  constructor(deps: HubDeps) {
    this.#deps = deps;
  }

  listen(listener: HubListener): void {
    this.#listener = listener;
  }

  /** Sessions in all. */
  get count(): number {
    return this.#count;
  }

  /** Takes a session in; nothing is sent to it before `goLive`. */
  enter(facts: SessionFacts, outlet: Outlet): Session {
    const { wheel, clock } = this.#deps;
    const slot = this.#free.pop() ?? this.sessions.length;
    const session = new Session(slot, facts, outlet, wheel.tick, clock.monotonic());
    this.sessions[slot] = session;
    this.#count++;
    const person = this.#people.get(session.personId) ?? this.#addPerson(session.personId);
    person.sessions.push(session);
    outlet.onDrain(() => this.#drained(session));
    return session;
  }

  /** From now on events reach the session; `frame` is the first. */
  goLive(session: Session, frame: Uint8Array): void {
    session.state = 'live';
    this.offer(session, frame, 'control');
    this.arm(session);
  }

  of(personId: string): readonly Session[] {
    return this.#people.get(personId)?.sessions ?? [];
  }

  *all(): IterableIterator<Session> {
    for (const session of this.sessions) if (session) yield session;
  }

  /** Hands a frame to a live session, or marks it slow. Whether it was handed over. */
  offer(session: Session, frame: Uint8Array, kind: SentKind): boolean {
    const { config, events, wheel } = this.#deps;
    if (session.state === 'live') {
      if (session.offer(frame, config, wheel.tick)) {
        events.sent(kind);
        return true;
      }
      this.fellBehind(session);
    }
    events.dropped(kind);
    return false;
  }

  /** The session's queue is full: nothing more goes to it until it is empty. */
  fellBehind(session: Session): void {
    const { config, events, wheel } = this.#deps;
    session.state = 'slow';
    session.slowTick = wheel.tick + Math.ceil(config.slowReaderTimeoutMs / config.tickMs);
    events.slowReader(session);
    this.arm(session);
  }

  /** Asks some or all sessions to synchronise, spread over time. */
  resync(sessions: Iterable<Session> = this.all()): void {
    const { config, events, frames, ids } = this.#deps;
    let asked = 0;
    for (const session of sessions) {
      if (session.state !== 'live') continue;
      this.offer(session, frames.resync(spread(config.resyncSpreadMs, ids.fraction()), 'continuity'), 'control');
      asked++;
    }
    if (asked > 0) events.resynced('continuity', asked);
  }

  /** Asks sessions to connect again, spread over time; even slow readers. */
  reconnect(cause: 'lease_lapsed' | 'endpoint_lost' | 'stopping', spreadMs: number, sessions: Iterable<Session>): void {
    const { events, frames, ids } = this.#deps;
    let asked = 0;
    for (const session of sessions) {
      if (session.state === 'opening' || session.state === 'ended') continue;
      session.outlet.sendEncoded(frames.reconnect(spread(spreadMs, ids.fraction())));
      asked++;
    }
    if (asked > 0) events.reconnectAsked(cause, asked);
  }

  /** Ends a session and forgets it; says why on the stream unless the client has gone. */
  end(session: Session, reason: EndReason): void {
    if (session.state === 'ended') return;
    const { clock, events, frames, wheel } = this.#deps;
    session.state = 'ended';
    if (reason !== 'client_gone') session.outlet.sendEncoded(frames.ended(reason));
    session.stopCommands?.();
    wheel.cancel(session.slot);
    this.#leavePerson(session);
    this.#listener?.left(session, reason);
    this.sessions[session.slot] = undefined;
    this.#free.push(session.slot);
    this.#count--;
    events.ended(session, reason, clock.monotonic() - session.openedAt);
    session.onClosed?.(reason);
  }

  /** Puts the session's next due moment on the wheel. */
  arm(session: Session): void {
    const { clock, config, wheel } = this.#deps;
    // A queue may become empty without a word when it was small.
    const look = wheel.tick + Math.ceil(LOOK_MS / config.tickMs);
    if (session.refilling) return wheel.schedule(session.slot, look);
    const expiry = wheel.tick + Math.ceil((session.expiresMs - clock.now()) / config.tickMs);
    const other =
      session.state === 'slow'
        ? Math.min(session.slowTick, look)
        : session.sentTick + Math.ceil(config.heartbeatMs / config.tickMs);
    wheel.schedule(session.slot, Math.min(expiry, other));
  }

  /** Carries out what is due for a slot: end, heartbeat, or nothing. */
  visit(slot: number, heartbeat: () => Uint8Array): void {
    const session = this.sessions[slot];
    if (!session) return;
    const { clock, config, wheel } = this.#deps;
    if (clock.now() >= session.expiresMs) return this.end(session, 'token_expired');
    if (session.outlet.queuedBytes === 0) this.#drained(session);
    if (session.state === 'slow') {
      if (wheel.tick >= session.slowTick) return this.end(session, 'too_slow');
    } else if ((wheel.tick - session.sentTick) * config.tickMs >= config.heartbeatMs) {
      this.offer(session, heartbeat(), 'heartbeat');
    }
    this.arm(session);
  }

  /** Gives back subscriptions of people who have had no session for the linger time. */
  sweep(): void {
    const { config, wheel } = this.#deps;
    const before = wheel.tick - Math.ceil(config.lingerMs / config.tickMs);
    for (let next = this.#idle.peek(); next && next.tick <= before; next = this.#idle.peek()) {
      this.#idle.shift();
      const { personId, tick } = next;
      const person = this.#people.get(personId);
      if (!person || person.sessions.length > 0 || person.idleTick !== tick) continue;
      person.stop();
      this.#people.delete(personId);
    }
  }

  #addPerson(personId: string): Person {
    const { frames, hints } = this.#deps;
    const person: Person = { sessions: [], stop: () => undefined, idleTick: -1 };
    person.stop = hints.onIm(personId, event => {
      if (person.sessions.length === 0) return;
      const frame = frames.im(event);
      // A session that opens gets nothing yet: it synchronises after Connected.
      for (const session of person.sessions) if (session.state !== 'opening') this.offer(session, frame, 'im');
    });
    this.#people.set(personId, person);
    return person;
  }

  #leavePerson(session: Session): void {
    const person = this.#people.get(session.personId);
    if (!person) return;
    person.sessions.splice(person.sessions.indexOf(session), 1);
    if (person.sessions.length > 0) return;
    person.idleTick = this.#deps.wheel.tick;
    this.#idle.push({ personId: session.personId, tick: person.idleTick });
  }

  #drained(session: Session): void {
    if (session.state === 'ended' || session.state === 'opening') return;
    const wasSlow = session.state === 'slow';
    if (!wasSlow && !session.refilling) return;
    if (wasSlow) {
      const { events, frames } = this.#deps;
      session.state = 'live';
      this.offer(session, frames.resync(0, 'slow_reader'), 'control');
      events.resynced('slow_reader', 1);
      this.arm(session);
    }
    this.#listener?.drained(session, wasSlow);
  }
}
