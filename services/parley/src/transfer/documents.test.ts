import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Doc } from '@parley/store';
import { scratch } from '../testing/installation.ts';
import { decodeDocument, documentsOf, encodeDocument } from './documents.ts';

describe('a document as a line', () => {
  it('comes back as it was, whatever it holds', () => {
    const doc = {
      _id: 'a/b#"\n',
      text: 'line\nline   陳志偉 😀 {"$bytes":"no"}',
      empty: '',
      none: null,
      yes: true,
      numbers: [0, -1.5, 1e300, Number.MAX_SAFE_INTEGER],
      bytes: new Uint8Array([0, 1, 254, 255]),
      noBytes: new Uint8Array(0),
      deep: { list: [{ more: new Uint8Array([9]) }, null, 'x'], bytes: { a: 1 } },
      __proto__field: 1,
    };
    const line = encodeDocument({ ...doc, _rev: 7 } as unknown as Doc);
    assert.equal(line.indexOf('\n'), line.length - 1, 'one line');
    const back = decodeDocument(line.trimEnd());
    assert.deepEqual(back, doc);
    assert.equal((back as unknown as typeof doc).bytes.constructor, Uint8Array);
  });

  it('leaves the revision behind, and bytes of a view are the bytes of the view alone', () => {
    const whole = new Uint8Array([1, 2, 3, 4]);
    const line = encodeDocument({ _id: 'a', _rev: 3, part: whole.subarray(1, 3) } as Doc);
    assert.equal(line, '{"_id":"a","part":{"$bytes":"AgM="}}\n');
  });

  it('is refused when it is none, or holds a kind of value that nobody knows', t => {
    for (const line of ['', '7', 'null', '[]', '{}', '{"_id":7}', '{"_id":"a"'])
      assert.throws(() => decodeDocument(line), line);
    assert.throws(
      () => decodeDocument('{"_id":"a","x":{"$date":"2026"}}'),
      /"\$date", which this server does not know/,
    );
    const file = scratch(t)('docs.jsonl');
    writeFileSync(file, '{"_id":"a"}\n{"_id":\n{"_id":"c"}\n');
    assert.throws(() => [...documentsOf(file)], /docs\.jsonl, line 2: /);
  });

  it('is read in portions, also from lines longer than what is read at once', t => {
    const file = scratch(t)('docs.jsonl');
    const docs = Array.from({ length: 25 }, (_, i) => ({
      _id: `d${i}`,
      bytes: new Uint8Array(i === 7 ? 3_000_000 : 10),
    }));
    writeFileSync(file, docs.map(encodeDocument).join(''));
    const portions = [...documentsOf(file, 10)];
    assert.deepEqual(
      portions.map(portion => portion.docs.length),
      [10, 10, 5],
    );
    assert.deepEqual(
      portions.flatMap(portion => portion.docs),
      docs,
    );
    assert.equal([...documentsOf(file, 1_000, 1_000_000)].length, 2, 'a portion ends with enough bytes');
  });
});
