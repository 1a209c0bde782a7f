import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parleyConfigSchema } from './config.ts';
import { checkStore, contentsOf, finalised, migrated, SchemaError, type Server } from './schema.ts';

const server = (version: string, writes: number, reads = 1): Server => ({ version, writes, reads });
const old = server('0.1.0', 1);
const mid = server('0.2.0', 2);
const far = server('0.9.0', 5, 3);
const config = parleyConfigSchema.parse({});

const refused = (work: () => void, pattern: RegExp) =>
  assert.throws(work, (error: Error) => {
    assert.ok(error instanceof SchemaError);
    assert.match(error.message, pattern);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });

describe('a store and a server', () => {
  it('fit when the server migrated it', () => {
    const doc = migrated(undefined, old, ['im/a']);
    assert.deepEqual([doc.finalised, doc.finalisedBy, doc.migrated], [1, '0.1.0', 1]);
    checkStore(doc, old, ['im/a']);
  });

  it('do not fit when nobody migrated it', () => refused(() => checkStore(undefined, old, []), /run 'parley migrate'/));

  it('do not fit when the store lacks what the server needs', () => {
    const doc = migrated(undefined, old, ['im/a']);
    refused(
      () => checkStore(doc, mid, ['im/a', 'im/b', 'im/c', 'im/d', 'im/e']),
      /last migrated by Parley 0.1.0 .* Parley 0.2.0 needs \(im\/b, im\/c, im\/d and 1 more\); run 'parley migrate'/,
    );
  });

  it('of an upgrade work side by side until the new format is finalised', () => {
    const before = migrated(undefined, old, ['im/a']);
    const during = migrated(before, mid, ['im/a', 'im/b']);
    assert.deepEqual([during.finalised, during.migrated, during.migratedBy], [1, 2, '0.2.0']);
    checkStore(during, old, ['im/a']);
    checkStore(during, mid, ['im/a', 'im/b']);
    const again = migrated(during, old, ['im/a']);
    assert.deepEqual(again, during, 'an old server that migrates again takes nothing back');

    const after = finalised(during, mid);
    checkStore(after, mid, ['im/b']);
    const pattern =
      /format 2, finalised by Parley 0.2.0; this is Parley 0.1.0, which knows formats up to 1: run Parley 0.2.0 or newer/;
    refused(() => checkStore(after, old, ['im/a']), pattern);
    refused(() => migrated(after, old, ['im/a']), pattern);
    assert.equal(finalised(after, server('0.2.1', 2)), after, 'once is enough');
  });

  it('do not fit when the store is too old', () => {
    const doc = migrated(undefined, old, []);
    const pattern =
      /format 1, finalised by Parley 0.1.0; this is Parley 0.9.0, which reads format 3 and newer: first run/;
    refused(() => checkStore(doc, far, []), pattern);
    refused(() => migrated(doc, far, []), pattern);
  });

  it('keep what was made by migrations of other versions', () => {
    const doc = migrated(migrated(undefined, old, ['b', 'a', 'a']), mid, ['c']);
    assert.deepEqual(doc.contents, ['a', 'b', 'c']);
  });

  it('are told what a process needs by what its services declare', () => {
    const all = contentsOf(['im', 'archiving'], config);
    assert.ok(all.includes('topic archive'), all.join());
    assert.ok(all.some(what => /^im\/im_\w+$/.test(what)) && all.some(what => /^archiving\/\w+\.\w+$/.test(what)));
    assert.ok(!all.some(what => what.startsWith('directory/')));
  });
});
