/** No edge. */
export const NONE = 0xffff_ffff;

/** Words of an edge: session slot, list (with DUE), next and previous in the list, next of the session. */
const STRIDE = 5;
const [SLOT, LIST, NEXT, PREV, SIBLING] = [0, 1, 2, 3, 4] as const;
const DUE = 0x8000_0000;

/**
 * Who watches what, as edges between session slots and lists of watchers, in one typed array: 20 bytes a watch, nothing
 * for the garbage collector, and constant time to link, move and unlink. An edge is in one list and belongs to one
 * session; "due" says that its session still has to be sent what the list shows.
 */
export class WatchGraph {
  #cells: Uint32Array;
  #used = 0;
  #free = NONE;
  #edges = 0;
  #heads: number[] = [];
  #sizes: number[] = [];
  #freeLists: number[] = [];
  #sessions: number[] = [];
  #degrees: number[] = [];

  constructor(capacity = 1024) {
    this.#cells = new Uint32Array(capacity * STRIDE);
  }

  /** A new, empty list. */
  addList(): number {
    const list = this.#freeLists.pop() ?? this.#heads.length;
    this.#heads[list] = NONE;
    this.#sizes[list] = 0;
    return list;
  }

  /** Gives an empty list back. */
  dropList(list: number): void {
    if (this.#sizes[list] !== 0) throw new Error(`list ${list} is not empty`);
    this.#freeLists.push(list);
  }

  /** Prepares a slot that has no watches. */
  openSlot(slot: number): void {
    this.#sessions[slot] = NONE;
    this.#degrees[slot] = 0;
  }

  link(slot: number, list: number): number {
    const edge = this.#take();
    const at = edge * STRIDE;
    const cells = this.#cells;
    cells[at + SLOT] = slot;
    cells[at + SIBLING] = this.#sessions[slot] as number;
    this.#sessions[slot] = edge;
    this.#degrees[slot] = (this.#degrees[slot] as number) + 1;
    this.#edges++;
    this.#attach(edge, list);
    return edge;
  }

  /** Moves an edge to another list. */
  move(edge: number, list: number): void {
    this.#detach(edge);
    this.#attach(edge, list);
  }

  /** Unlinks the session's edges for which `leave` is true of their list; returns how many. */
  unlinkWhere(slot: number, leave: (list: number) => boolean): number {
    let removed = 0;
    let before = NONE;
    let edge = this.#sessions[slot] as number;
    while (edge !== NONE) {
      const next = this.sibling(edge);
      if (leave(this.listOf(edge))) {
        if (before === NONE) this.#sessions[slot] = next;
        else this.#cells[before * STRIDE + SIBLING] = next;
        this.#detach(edge);
        this.#release(edge);
        removed++;
      } else before = edge;
      edge = next;
    }
    this.#degrees[slot] = (this.#degrees[slot] as number) - removed;
    return removed;
  }

  /** First edge of a list, or NONE. */
  first(list: number): number {
    return this.#heads[list] as number;
  }

  /** The edge after this one in its list, or NONE. */
  next(edge: number): number {
    return this.#cells[edge * STRIDE + NEXT] as number;
  }

  /** First edge of a session, or NONE. */
  firstOf(slot: number): number {
    return this.#sessions[slot] as number;
  }

  /** The next edge of the same session, or NONE. */
  sibling(edge: number): number {
    return this.#cells[edge * STRIDE + SIBLING] as number;
  }

  slotOf(edge: number): number {
    return this.#cells[edge * STRIDE + SLOT] as number;
  }

  listOf(edge: number): number {
    return (this.#cells[edge * STRIDE + LIST] as number) & ~DUE;
  }

  isDue(edge: number): boolean {
    return ((this.#cells[edge * STRIDE + LIST] as number) & DUE) !== 0;
  }

  setDue(edge: number, due: boolean): void {
    const at = edge * STRIDE + LIST;
    const cells = this.#cells;
    cells[at] = due ? (cells[at] as number) | DUE : (cells[at] as number) & ~DUE;
  }

  /** Watchers in a list. */
  size(list: number): number {
    return this.#sizes[list] as number;
  }

  /** Watches of a session. */
  degree(slot: number): number {
    return this.#degrees[slot] as number;
  }

  /** Watches in all. */
  get edges(): number {
    return this.#edges;
  }

  /** Bytes held for edges, free ones included. */
  get bytes(): number {
    return this.#cells.byteLength;
  }

  #take(): number {
    if (this.#free !== NONE) {
      const edge = this.#free;
      this.#free = this.#cells[edge * STRIDE + SIBLING] as number;
      return edge;
    }
    if ((this.#used + 1) * STRIDE > this.#cells.length) {
      const edges = this.#cells.length / STRIDE;
      const grown = new Uint32Array(Math.ceil(edges * (edges < 65_536 ? 2 : 1.25)) * STRIDE);
      grown.set(this.#cells);
      this.#cells = grown;
    }
    return this.#used++;
  }

  #release(edge: number): void {
    this.#cells[edge * STRIDE + SIBLING] = this.#free;
    this.#free = edge;
    this.#edges--;
  }

  /** Puts the edge at the head of a list, not due. */
  #attach(edge: number, list: number): void {
    const cells = this.#cells;
    const at = edge * STRIDE;
    const head = this.#heads[list] as number;
    cells[at + LIST] = list;
    cells[at + NEXT] = head;
    cells[at + PREV] = NONE;
    if (head !== NONE) cells[head * STRIDE + PREV] = edge;
    this.#heads[list] = edge;
    this.#sizes[list] = (this.#sizes[list] as number) + 1;
  }

  #detach(edge: number): void {
    const cells = this.#cells;
    const at = edge * STRIDE;
    const list = (cells[at + LIST] as number) & ~DUE;
    const next = cells[at + NEXT] as number;
    const previous = cells[at + PREV] as number;
    if (previous === NONE) this.#heads[list] = next;
    else cells[previous * STRIDE + NEXT] = next;
    if (next !== NONE) cells[next * STRIDE + PREV] = previous;
    this.#sizes[list] = (this.#sizes[list] as number) - 1;
  }
}
