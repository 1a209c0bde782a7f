/** Values filed under patterns, found by subject. */
export interface Matcher<T> {
  add(pattern: string, value: T): void;
  remove(pattern: string, value: T): void;
  /** Every value whose pattern matches; the array must not be changed and keeps its content when values come and go. */
  match(subject: string): readonly T[];
}

interface Leaf<T> {
  readonly values: Set<T>;
  snapshot: readonly T[] | undefined;
}

interface Node<T> {
  readonly children: Map<string, Node<T>>;
  /** Values whose pattern ends here. */
  here: Leaf<T> | undefined;
  /** Values whose pattern goes on with a final `>`. */
  rest: Leaf<T> | undefined;
}

const NONE: readonly never[] = [];

/** Exact subjects in a Map, patterns in a trie by token that is looked at only when its first token fits. */
export function createMatcher<T>(): Matcher<T> {
  const exact = new Map<string, Leaf<T>>();
  const root = newNode<T>();

  return {
    add(pattern, value) {
      if (!isWild(pattern)) {
        exact.set(pattern, withValue(exact.get(pattern), value));
        return;
      }
      const { path, rest } = split(pattern);
      let node = root;
      for (const token of path) {
        let child = node.children.get(token);
        if (child === undefined) node.children.set(token, (child = newNode<T>()));
        node = child;
      }
      if (rest) node.rest = withValue(node.rest, value);
      else node.here = withValue(node.here, value);
    },

    remove(pattern, value) {
      if (!isWild(pattern)) {
        const leaf = without(exact.get(pattern), value);
        if (leaf === undefined) exact.delete(pattern);
        return;
      }
      const { path, rest } = split(pattern);
      removeFrom(root, path, 0, rest, value);
    },

    match(subject) {
      const leaf = exact.get(subject);
      const direct = leaf === undefined ? NONE : snapshot(leaf);
      if (root.children.size === 0 && root.rest === undefined) return direct;
      const dot = subject.indexOf('.');
      const first = dot < 0 ? subject : subject.slice(0, dot);
      if (root.rest === undefined && !root.children.has(first) && !root.children.has('*')) return direct;
      const found: T[] = [];
      collect(root, subject.split('.'), 0, found);
      if (found.length === 0) return direct;
      for (const value of direct) found.push(value);
      return found;
    },
  };
}

function isWild(pattern: string): boolean {
  return pattern.includes('*') || pattern.endsWith('>');
}

function split(pattern: string): { path: string[]; rest: boolean } {
  const path = pattern.split('.');
  const rest = path.at(-1) === '>';
  if (rest) path.pop();
  return { path, rest };
}

function newNode<T>(): Node<T> {
  return { children: new Map(), here: undefined, rest: undefined };
}

function withValue<T>(leaf: Leaf<T> | undefined, value: T): Leaf<T> {
  if (leaf === undefined) return { values: new Set([value]), snapshot: undefined };
  leaf.values.add(value);
  leaf.snapshot = undefined;
  return leaf;
}

function without<T>(leaf: Leaf<T> | undefined, value: T): Leaf<T> | undefined {
  if (leaf === undefined) return undefined;
  leaf.values.delete(value);
  leaf.snapshot = undefined;
  return leaf.values.size === 0 ? undefined : leaf;
}

function snapshot<T>(leaf: Leaf<T>): readonly T[] {
  leaf.snapshot ??= [...leaf.values];
  return leaf.snapshot;
}

function removeFrom<T>(node: Node<T>, path: readonly string[], depth: number, rest: boolean, value: T): void {
  const token = path[depth];
  if (token === undefined) {
    if (rest) node.rest = without(node.rest, value);
    else node.here = without(node.here, value);
    return;
  }
  const child = node.children.get(token);
  if (child === undefined) return;
  removeFrom(child, path, depth + 1, rest, value);
  if (child.children.size === 0 && child.here === undefined && child.rest === undefined) node.children.delete(token);
}

function collect<T>(node: Node<T>, tokens: readonly string[], depth: number, found: T[]): void {
  const token = tokens[depth];
  if (token === undefined) {
    if (node.here !== undefined) for (const value of node.here.values) found.push(value);
    return;
  }
  if (node.rest !== undefined) for (const value of node.rest.values) found.push(value);
  const child = node.children.get(token);
  if (child !== undefined) collect(child, tokens, depth + 1, found);
  const star = node.children.get('*');
  if (star !== undefined) collect(star, tokens, depth + 1, found);
}
