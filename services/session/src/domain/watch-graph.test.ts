import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NONE, WatchGraph } from './watch-graph.ts';

const inList = (graph: WatchGraph, list: number) => {
  const slots: number[] = [];
  for (let edge = graph.first(list); edge !== NONE; edge = graph.next(edge)) slots.push(graph.slotOf(edge));
  return slots.sort((a, b) => a - b);
};
const ofSlot = (graph: WatchGraph, slot: number) => {
  const lists: number[] = [];
  for (let edge = graph.firstOf(slot); edge !== NONE; edge = graph.sibling(edge)) lists.push(graph.listOf(edge));
  return lists.sort((a, b) => a - b);
};

describe('the watch graph', () => {
  it('finds the watchers of a list and the lists of a watcher', () => {
    const graph = new WatchGraph(1);
    const [a, b] = [graph.addList(), graph.addList()];
    for (const slot of [0, 1, 2]) graph.openSlot(slot);
    graph.link(0, a);
    graph.link(1, a);
    graph.link(1, b);
    assert.deepEqual(inList(graph, a), [0, 1]);
    assert.deepEqual(inList(graph, b), [1]);
    assert.deepEqual(ofSlot(graph, 1), [a, b]);
    assert.deepEqual(ofSlot(graph, 2), []);
    assert.equal(graph.size(a), 2);
    assert.equal(graph.degree(1), 2);
  });

  it('moves a watch between lists from the head, the middle and the end', () => {
    const graph = new WatchGraph();
    const [from, to] = [graph.addList(), graph.addList()];
    for (const slot of [0, 1, 2]) graph.openSlot(slot);
    const edges = [0, 1, 2].map(slot => graph.link(slot, from));
    graph.move(edges[1] as number, to);
    assert.deepEqual([inList(graph, from), inList(graph, to)], [[0, 2], [1]]);
    graph.move(edges[0] as number, to);
    assert.deepEqual([inList(graph, from), inList(graph, to)], [[2], [0, 1]]);
    graph.move(edges[2] as number, to);
    assert.deepEqual([inList(graph, from), inList(graph, to)], [[], [0, 1, 2]]);
    assert.deepEqual([graph.size(from), graph.size(to)], [0, 3]);
    assert.deepEqual(ofSlot(graph, 1), [to]);
  });

  it('keeps what is due apart from where a watch is, and forgets it when the watch moves', () => {
    const graph = new WatchGraph();
    const [a, b] = [graph.addList(), graph.addList()];
    graph.openSlot(7);
    const edge = graph.link(7, a);
    graph.setDue(edge, true);
    assert.equal(graph.isDue(edge), true);
    assert.equal(graph.listOf(edge), a);
    graph.move(edge, b);
    assert.equal(graph.isDue(edge), false);
    graph.setDue(edge, true);
    graph.setDue(edge, false);
    assert.equal(graph.isDue(edge), false);
  });

  it('agrees with plain sets after many random changes, and uses freed room again', () => {
    const graph = new WatchGraph(4);
    const lists = Array.from({ length: 20 }, () => graph.addList());
    const model = new Map<number, Set<number>>();
    let seed = 42;
    const random = (n: number) => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff;
      return seed % n;
    };
    for (let slot = 0; slot < 30; slot++) {
      graph.openSlot(slot);
      model.set(slot, new Set());
    }
    for (let step = 0; step < 20_000; step++) {
      const slot = random(30);
      const list = lists[random(20)] as number;
      const watched = model.get(slot) as Set<number>;
      if (!watched.has(list) && random(3) > 0) {
        graph.link(slot, list);
        watched.add(list);
      } else if (random(50) === 0) {
        assert.equal(
          graph.unlinkWhere(slot, () => true),
          watched.size,
        );
        watched.clear();
      } else {
        assert.equal(
          graph.unlinkWhere(slot, l => l === list),
          watched.delete(list) ? 1 : 0,
        );
      }
    }
    for (const [slot, watched] of model)
      assert.deepEqual(
        ofSlot(graph, slot),
        [...watched].sort((a, b) => a - b),
      );
    for (const list of lists) {
      assert.deepEqual(
        inList(graph, list),
        [...model].filter(([, w]) => w.has(list)).map(([slot]) => slot),
      );
    }
    assert.equal(
      graph.edges,
      [...model.values()].reduce((sum, w) => sum + w.size, 0),
    );
    assert.ok(graph.bytes <= 30 * 20 * 2 * 20, `${graph.bytes} bytes for at most 600 watches`);
  });

  it('takes at most 30 bytes a watch when there are many', () => {
    const graph = new WatchGraph();
    const list = graph.addList();
    graph.openSlot(0);
    for (let i = 0; i < 800_000; i++) graph.link(0, list);
    assert.ok(graph.bytes / 800_000 <= 30, `${graph.bytes / 800_000} bytes`);
  });

  it('refuses to drop a list that has watchers', () => {
    const graph = new WatchGraph();
    const list = graph.addList();
    graph.openSlot(0);
    graph.link(0, list);
    assert.throws(() => graph.dropList(list), /not empty/);
    graph.unlinkWhere(0, () => true);
    graph.dropList(list);
    assert.equal(graph.addList(), list);
  });
});
