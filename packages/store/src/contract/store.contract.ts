import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { StoreError, type StoreErrorCode } from '../errors.ts';
import type { Collection, CollectionSpec, Doc, Page, ScanQuery, Store } from '../store.ts';
import { type Entry, entries, others, type Thing, things } from './fixture.ts';
import { indexContract } from './indexes.contract.ts';
import { refusalContract } from './refusals.contract.ts';
import { scanContract } from './scans.contract.ts';
import { valueContract } from './values.contract.ts';
import { writeContract } from './writes.contract.ts';

/** A store under test. */
export interface Opened {
  readonly store: Store;
  /** Closes and opens the same data again. */
  readonly reopen?: () => Promise<Store>;
  /** Closes and removes the data. */
  close(): Promise<void>;
}

/** What the parts of the contract work with. */
export interface Subject {
  readonly store: Store;
  readonly things: Collection<Thing>;
  readonly others: Collection<Thing>;
  readonly entries: Collection<Entry>;
  readonly reopen: (() => Promise<Store>) | undefined;
  /** A word no other test uses. */
  unique(): string;
  /** A number no other test uses. */
  number(): number;
}

/** Declares the tests that every adapter of the store port passes. `open` gives an empty database. */
export function storeContract(name: string, open: () => Promise<Opened>): void {
  describe(`store: ${name}`, { concurrency: false }, () => {
    let opened: Opened;
    let subject: Subject;
    let count = 0;
    before(async () => {
      opened = await open();
      const { store, reopen } = opened;
      await store.migrate(all);
      subject = {
        store,
        reopen,
        things: store.collection(things),
        others: store.collection(others),
        entries: store.collection(entries),
        unique: () => `u${++count}`,
        number: () => ++count,
      };
    });
    after(() => opened?.close());

    const test = (sentence: string, body: (s: Subject) => Promise<void>) => it(sentence, () => body(subject));
    valueContract(test);
    writeContract(test);
    indexContract(test);
    scanContract(test);
    refusalContract(test);

    test('migrating again changes nothing, and data are there after reopening', async s => {
      const id = s.unique();
      await s.things.insert({ _id: id, group: id });
      await s.store.migrate(all);
      assert.deepEqual(await s.things.get(id), { _id: id, _rev: 1, group: id });
      if (!s.reopen) return;
      const again = await s.reopen();
      assert.deepEqual(await again.collection(things).get(id), { _id: id, _rev: 1, group: id });
      assert.equal((await again.collection(things).scan('rank', { equals: [id], limit: 2 })).docs.length, 1);
    });
  });
}

/** Declares one test. */
export type Test = (sentence: string, body: (s: Subject) => Promise<void>) => void;

const all: readonly CollectionSpec<Doc>[] = [things, entries, others];

/** Ids of a page. */
export const ids = (page: Page<Doc>): string[] => page.docs.map(d => d._id);

/** Ids of all pages. */
export async function allIds<T extends Doc>(c: Collection<T>, index: string, query: ScanQuery): Promise<string[]> {
  const found: string[] = [];
  for (let next: string | undefined, pages = 0; ; pages++) {
    assert.ok(pages < 1000, 'paging comes to an end');
    const page = await c.scan(index, next === undefined ? query : { ...query, after: next });
    assert.ok(page.docs.length <= query.limit);
    found.push(...ids(page));
    next = page.next;
    if (next === undefined) return found;
  }
}

/** Asserts that a call is refused and nothing was done. */
export async function refused(call: Promise<unknown>, code: StoreErrorCode): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof StoreError, String(error));
    assert.equal(error.code, code);
    assert.equal(error.outcome, 'not-applied');
    return true;
  });
}
