import type { SessionConfig } from '../config.ts';
import { Fifo } from '../domain/fifo.ts';
import { isPublished, type Level, USUAL } from '../domain/level.ts';
import type { TimerWheel } from '../domain/timer-wheel.ts';
import type { WatchGraph } from '../domain/watch-graph.ts';
import type { Hints, PresenceChange, Stop } from '../ports/hints.ts';
import type { FlushGate } from './flush-gate.ts';

/** Somebody who is watched by a session of this pod. */
export interface Presentity {
  readonly personId: string;
  /** Greatest access-list revision seen; -1 before any was. */
  aclRevision: number;
  /** By level; UNRESOLVED holds the watchers who are shown nothing. */
  readonly views: (View | undefined)[];
}

/** One person as seen at one level: the last bytes, and who gets them. */
export interface View {
  readonly presentity: Presentity;
  readonly level: Level;
  /** The watchers' list in the graph. */
  readonly list: number;
  /** -1 without bytes. */
  revision: number;
  frame: Uint8Array | undefined;
  stop: Stop | undefined;
  /** Flush after which the subscription stands. */
  mark: number;
  /** Views of other levels that listen through this one. */
  holds: number;
  /** Tick at which it was last no longer needed. */
  idleTick: number;
  /** Whether it waits to be dropped. */
  waiting: boolean;
}

interface TableDeps {
  readonly config: SessionConfig;
  readonly hints: Hints;
  readonly wheel: TimerWheel;
  readonly gate: FlushGate;
  readonly graph: WatchGraph;
}

/** The views of everybody who is watched, each with its one subscription, kept a while after the last watcher has gone. */
export class ViewTable {
  readonly #deps: TableDeps;
  readonly #onChange: (view: View, change: PresenceChange) => void;
  readonly #presentities = new Map<string, Presentity>();
  readonly #byList: (View | undefined)[] = [];
  /** Each idle view once, in the order in which it became so. */
  readonly #idle = new Fifo<{ readonly view: View; readonly tick: number }>();
  #count = 0;

  constructor(deps: TableDeps, onChange: (view: View, change: PresenceChange) => void) {
    this.#deps = deps;
    this.#onChange = onChange;
  }

  /** Views in all. */
  get count(): number {
    return this.#count;
  }

  find(personId: string): Presentity | undefined {
    return this.#presentities.get(personId);
  }

  byList(list: number): View {
    return this.#byList[list] as View;
  }

  *all(): IterableIterator<View> {
    for (const view of this.#byList) if (view) yield view;
  }

  /** The person, made if nobody watched him. */
  presentity(personId: string): Presentity {
    let presentity = this.#presentities.get(personId);
    if (!presentity) {
      presentity = { personId, aclRevision: -1, views: [] };
      this.#presentities.set(personId, presentity);
    }
    return presentity;
  }

  /** The view, made and listened to if it was not there. */
  view(presentity: Presentity, level: Level): View {
    return presentity.views[level] ?? this.#add(presentity, level);
  }

  /** Listens to the usual level of people who are about to be watched. */
  prepare(personIds: readonly string[]): void {
    for (const personId of personIds) {
      const presentity = this.presentity(personId);
      if (!presentity.views.some(view => view?.stop)) this.settle(this.view(presentity, USUAL));
    }
  }

  /** Whether every subscription that tells of these people stands. */
  listening(personIds: Iterable<string>): boolean {
    for (const personId of personIds) {
      for (const view of this.#presentities.get(personId)?.views ?? []) {
        if (view?.stop && !this.#deps.gate.done(view.mark)) return false;
      }
    }
    return true;
  }

  /** Whether the changes that concern a view are heard by now. */
  heard(view: View): boolean {
    return [view, view.presentity.views[USUAL]].every(v => !v?.stop || this.#deps.gate.done(v.mark));
  }

  /** If nobody needs the view, it is dropped after the linger time. */
  settle(view: View): void {
    if (!this.#isIdle(view) || view.presentity.views[view.level] !== view) return;
    view.idleTick = this.#deps.wheel.tick;
    if (!view.waiting) this.#wait(view);
  }

  /** Drops the views that nobody has needed for the linger time. */
  sweep(): void {
    const { config, wheel } = this.#deps;
    const before = wheel.tick - Math.ceil(config.lingerMs / config.tickMs);
    for (let next = this.#idle.peek(); next && next.tick <= before; next = this.#idle.peek()) {
      this.#idle.shift();
      const { view, tick } = next;
      view.waiting = false;
      if (!this.#isIdle(view)) continue;
      if (view.idleTick > tick) this.#wait(view);
      else this.#drop(view);
    }
  }

  #wait(view: View): void {
    view.waiting = true;
    this.#idle.push({ view, tick: view.idleTick });
  }

  #add(presentity: Presentity, level: Level): View {
    const { gate, graph, hints } = this.#deps;
    const list = graph.addList();
    const view: View = {
      presentity,
      level,
      list,
      revision: -1,
      frame: undefined,
      stop: undefined,
      mark: 0,
      holds: 0,
      idleTick: -1,
      waiting: false,
    };
    presentity.views[level] = view;
    this.#byList[list] = view;
    this.#count++;
    if (isPublished(level)) {
      view.mark = gate.mark();
      view.stop = hints.onPresence(presentity.personId, level, change => this.#onChange(view, change));
    }
    if (level !== USUAL) this.view(presentity, USUAL).holds++;
    return view;
  }

  #isIdle(view: View): boolean {
    return view.holds === 0 && this.#deps.graph.size(view.list) === 0;
  }

  #drop(view: View): void {
    const { presentity, level, list } = view;
    if (presentity.views[level] !== view) return;
    view.stop?.();
    presentity.views[level] = undefined;
    this.#byList[list] = undefined;
    this.#count--;
    this.#deps.graph.dropList(list);
    const usual = presentity.views[USUAL];
    if (usual && level !== USUAL) {
      usual.holds--;
      this.settle(usual);
    }
    if (presentity.views.every(other => other === undefined)) this.#presentities.delete(presentity.personId);
  }
}
