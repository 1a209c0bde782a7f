import type { SessionConfig } from '../config.ts';
import { judge } from '../domain/freshness.ts';
import { UNRESOLVED } from '../domain/level.ts';
import type { TimerWheel } from '../domain/timer-wheel.ts';
import { NONE, WatchGraph } from '../domain/watch-graph.ts';
import type { SessionEvents } from '../events.ts';
import type { Frames } from '../ports/frames.ts';
import type { Hints, PresenceChange } from '../ports/hints.ts';
import type { Digest, ResolvedPresence } from '../ports/presence-reader.ts';
import type { FlushGate } from './flush-gate.ts';
import type { Hub } from './hub.ts';
import type { Session } from './session.ts';
import { type Presentity, type View, ViewTable } from './view-table.ts';

interface BoardDeps {
  readonly config: SessionConfig;
  readonly hints: Hints;
  readonly frames: Frames;
  readonly events: SessionEvents;
  readonly wheel: TimerWheel;
  readonly hub: Hub;
  readonly gate: FlushGate;
}

/**
 * The fan-out of presence. For each (person, level) there is one subscription, the last bytes, and a list of watchers.
 * A watcher whose level is not known for sure sits in the person's unresolved list and is shown nothing: that is how
 * access lists fail closed.
 */
export class PresenceBoard {
  readonly #deps: BoardDeps;
  readonly #graph = new WatchGraph();
  readonly #table: ViewTable;
  #onUnresolved: (watcherId: string, personId: string) => void = () => undefined;

  constructor(deps: BoardDeps) {
    this.#deps = deps;
    this.#table = new ViewTable({ ...deps, graph: this.#graph }, (view, change) =>
      deps.events.change(this.#take(view, change)),
    );
  }

  /** Who is to be resolved again. */
  onUnresolved(listener: (watcherId: string, personId: string) => void): void {
    this.#onUnresolved = listener;
  }

  /** Watches of all sessions, views, and bytes held for watches. */
  get sizes(): { readonly watches: number; readonly views: number; readonly bytes: number } {
    return { watches: this.#graph.edges, views: this.#table.count, bytes: this.#graph.bytes };
  }

  open(session: Session): void {
    this.#graph.openSlot(session.slot);
  }

  close(session: Session): void {
    this.#unlink(session, () => true);
  }

  /** Listens to people about to be watched, so that the flush before Connected covers them. */
  prepare(personIds: readonly string[]): void {
    this.#table.prepare(personIds);
  }

  /** Whether every subscription that tells of these people stands. */
  listening(personIds: Iterable<string>): boolean {
    return this.#table.listening(personIds);
  }

  /**
   * Changes what a session watches, removals first; who was added is unresolved, and is returned. False when it would be
   * more than `limit`: nothing changes then.
   */
  watch(session: Session, add: readonly string[], remove: readonly string[], limit: number): readonly string[] | false {
    const gone = new Set(remove);
    const kept = new Set<string>();
    for (let edge = this.#graph.firstOf(session.slot); edge !== NONE; edge = this.#graph.sibling(edge)) {
      const { personId } = this.#viewOf(edge).presentity;
      if (!gone.has(personId)) kept.add(personId);
    }
    const fresh = [...new Set(add)].filter(id => !kept.has(id));
    if (kept.size + fresh.length > limit) return false;
    if (gone.size > 0) this.#unlink(session, view => gone.has(view.presentity.personId));
    for (const personId of fresh) {
      this.#graph.link(session.slot, this.#table.view(this.#table.presentity(personId), UNRESOLVED).list);
    }
    return fresh;
  }

  /**
   * Takes in what presence says `watcherId` may see. Returns the people whose answer was older than what is known
   * (ask again), and the answers about views that were not listened to when it was given (compare again).
   */
  resolved(watcherId: string, answers: readonly ResolvedPresence[]): { stale: string[]; unheard: ResolvedPresence[] } {
    const stale: string[] = [];
    const unheard: ResolvedPresence[] = [];
    const taken = new Map<string, ResolvedPresence>();
    for (const answer of answers) {
      const presentity = this.#table.find(answer.personId);
      if (!presentity) continue;
      const view = this.#table.view(presentity, answer.level);
      if (!this.#table.heard(view)) unheard.push(answer);
      if (this.#take(view, answer) === 'stale') stale.push(answer.personId);
      else taken.set(answer.personId, answer);
    }
    for (const session of this.#deps.hub.of(watcherId)) this.#place(session, taken);
    for (const answer of answers) {
      const view = this.#table.find(answer.personId)?.views[answer.level];
      if (view) this.#table.settle(view);
    }
    return { stale, unheard };
  }

  /** Takes in something newer than the pod had; returns how much of it was. */
  repair(newer: readonly ResolvedPresence[]): number {
    let repaired = 0;
    for (const answer of newer) {
      const view = this.#table.find(answer.personId)?.views[answer.level];
      if (!view) continue;
      const taken = this.#take(view, answer);
      if (taken === 'forwarded' || taken === 'resolve') repaired++;
    }
    return repaired;
  }

  /** Of every view that has watchers, what the pod has. */
  digests(): Digest[] {
    const digests: Digest[] = [];
    for (const view of this.#table.all()) {
      if (view.level === UNRESOLVED || this.#graph.size(view.list) === 0) continue;
      const { personId, aclRevision } = view.presentity;
      digests.push({ personId, level: view.level, revision: view.revision, aclRevision });
    }
    return digests;
  }

  /** Asks again for everybody who is shown nothing. */
  resolveAgain(): void {
    for (const view of this.#table.all()) if (view.level === UNRESOLVED) this.#askAgain(view);
  }

  /** Sends again everything the session watches, as fast as its reader takes it. */
  sendAll(session: Session): void {
    for (let edge = this.#graph.firstOf(session.slot); edge !== NONE; edge = this.#graph.sibling(edge)) {
      this.#graph.setDue(edge, true);
    }
    this.refill(session);
  }

  /** Sends what is due, up to half of the queue; the rest when it has become empty. */
  refill(session: Session): void {
    const { config, hub } = this.#deps;
    session.refilling = false;
    if (session.state !== 'live') return;
    const graph = this.#graph;
    for (let edge = graph.firstOf(session.slot); edge !== NONE; edge = graph.sibling(edge)) {
      if (!graph.isDue(edge)) continue;
      const { frame } = this.#viewOf(edge);
      if (frame && session.outlet.queuedBytes > config.queueBytes / 2) {
        session.refilling = true;
        return hub.arm(session);
      }
      if (frame && !hub.offer(session, frame, 'presence')) return;
      graph.setDue(edge, false);
    }
  }

  /** Gives back what nobody has needed for the linger time. */
  sweep(): void {
    this.#table.sweep();
  }

  /** Judges a change, keeps it, and forwards it to those who may see it. */
  #take(view: View, change: PresenceChange): 'forwarded' | 'old' | 'stale' | 'resolve' {
    const { presentity } = view;
    const freshness = judge(presentity.aclRevision, view.revision, change);
    if (freshness === 'stale' || freshness === 'old') return freshness;
    if (freshness === 'resolve') {
      const first = presentity.aclRevision < 0;
      presentity.aclRevision = change.aclRevision;
      if (!first) this.#hideFromAll(presentity);
    }
    view.revision = change.revision;
    view.frame = this.#deps.frames.presence(change.view);
    this.#fanOut(view.list, view.frame);
    return freshness === 'resolve' ? 'resolve' : 'forwarded';
  }

  #fanOut(list: number, frame: Uint8Array): void {
    const { config, events, hub, wheel } = this.#deps;
    const graph = this.#graph;
    const tick = wheel.tick;
    let sent = 0;
    let dropped = 0;
    for (let edge = graph.first(list); edge !== NONE; edge = graph.next(edge)) {
      const session = hub.sessions[graph.slotOf(edge)] as Session;
      if (session.state === 'live') {
        if (session.offer(frame, config, tick)) {
          sent++;
          continue;
        }
        hub.fellBehind(session);
      }
      dropped++;
    }
    if (sent > 0) events.sent('presence', sent);
    if (dropped > 0) events.dropped('presence', dropped);
  }

  /** The access list changed: nobody is shown anything until it is known again who may see what. */
  #hideFromAll(presentity: Presentity): void {
    const graph = this.#graph;
    const unresolved = this.#table.view(presentity, UNRESOLVED);
    for (const view of presentity.views) {
      if (!view || view === unresolved) continue;
      view.revision = -1;
      view.frame = undefined;
      for (let edge = graph.first(view.list); edge !== NONE; edge = graph.first(view.list)) {
        graph.move(edge, unresolved.list);
      }
      this.#table.settle(view);
    }
    this.#askAgain(unresolved);
    this.#table.settle(unresolved);
  }

  #askAgain(unresolved: View): void {
    const { sessions } = this.#deps.hub;
    const watchers = new Set<string>();
    for (let edge = this.#graph.first(unresolved.list); edge !== NONE; edge = this.#graph.next(edge)) {
      watchers.add((sessions[this.#graph.slotOf(edge)] as Session).personId);
    }
    for (const watcherId of watchers) this.#onUnresolved(watcherId, unresolved.presentity.personId);
  }

  /** Moves the session's unresolved watches to the lists of their levels, and sends what these show. */
  #place(session: Session, answers: ReadonlyMap<string, ResolvedPresence>): void {
    const graph = this.#graph;
    for (let edge = graph.firstOf(session.slot); edge !== NONE; edge = graph.sibling(edge)) {
      const from = this.#viewOf(edge);
      if (from.level !== UNRESOLVED) continue;
      const answer = answers.get(from.presentity.personId);
      if (!answer) continue;
      graph.move(edge, this.#table.view(from.presentity, answer.level).list);
      graph.setDue(edge, true);
      this.#table.settle(from);
    }
    this.refill(session);
  }

  #unlink(session: Session, leave: (view: View) => boolean): void {
    const touched: View[] = [];
    this.#graph.unlinkWhere(session.slot, list => {
      const view = this.#table.byList(list);
      if (!leave(view)) return false;
      touched.push(view);
      return true;
    });
    for (const view of touched) this.#table.settle(view);
  }

  #viewOf(edge: number): View {
    return this.#table.byList(this.#graph.listOf(edge));
  }
}
