import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { itemsOf, PIXEL, random, utf16 } from '../test/support.ts';
import { PeopleFileError, type PeopleFileItem, type PeopleFileOptions, readPeopleFile } from './index.ts';

const CSV =
  '\ufeffmail,name,groups,photo,manager,enabled\r\na@x.example,"林, ""M""",a;b,p.png,"CN=x,DC=y",yes\r\nb@x.example,B,"x\ny",,,no\r\n';
const LDIF = `version: 1\n\n# c\ndn:: dWlkPWE=\nobjectClass: person\nmail: a@x.example\ncn: A\n B\njpegPhoto:: ${PIXEL.toString('base64')}\nmanager: uid=b\\,c\n\ndn: uid=b\nchangetype: add\nmail: b@x.example\njpegPhoto:< file:a.png\n`;
const SEEDS = [Buffer.from(CSV), Buffer.from(LDIF), Buffer.from(utf16(CSV, 'le')), Buffer.from(utf16(LDIF, 'be'))];
const PIECES = [
  '"',
  '""',
  '\r',
  '\n',
  '\r\n',
  ',',
  ';',
  '\t',
  ':',
  '::',
  ':<',
  ' ',
  '\n ',
  '\0',
  '\ufeff',
  'dn: ',
  '-',
  '#',
  '\\',
  '=',
  '林',
  'sep=;\n',
  'changetype: modify\n',
].map(text => Buffer.from(text));
const ENCODINGS = [
  undefined,
  undefined,
  'big5',
  'utf-16',
  'utf-16be',
  'shift_jis',
  'gb18030',
  'iso-2022-jp',
  'latin1',
  'utf-7',
  '',
];

/** A file that was damaged at random. */
function damaged(next: (below: number) => number): Buffer {
  let file = SEEDS[next(SEEDS.length)] as Buffer;
  for (let cuts = 1 + next(8); cuts > 0; cuts--) {
    const at = next(file.length + 1);
    const [before, after] = [file.subarray(0, at), file.subarray(at)];
    const piece = PIECES[next(PIECES.length)] as Buffer;
    const kinds = [
      () => Buffer.concat([before, piece, after]),
      () => Buffer.concat([before, Buffer.from([next(256)]), after.subarray(1)]),
      () => Buffer.concat([before, after.subarray(next(20))]),
      () => Buffer.concat([after, before]),
      () => Buffer.concat([before, ...Array.from({ length: next(300) }, () => piece), after]),
      () => Buffer.from(Array.from({ length: next(64) }, () => next(256))),
    ];
    file = (kinds[next(kinds.length)] as () => Buffer)();
  }
  return file;
}

type Outcome = readonly PeopleFileItem[] | string;

async function outcome(source: Iterable<Uint8Array>, options: PeopleFileOptions): Promise<Outcome> {
  const items: PeopleFileItem[] = [];
  try {
    for await (const item of readPeopleFile(source, options)) items.push(item);
    return items;
  } catch (error) {
    assert.ok(error instanceof PeopleFileError, `threw ${String(error)}`);
    return error.code;
  }
}

describe('damaged files', () => {
  it('are read or refused: no other error, no more items than lines, the same however they are cut', async () => {
    const limits = { rowCharacters: 2_000, rowLines: 8, lineBytes: 1_000, valueCharacters: 500, values: 20 };
    const photos = { read: async () => new Uint8Array(PIXEL) };
    for (let seed = 1; seed <= 4_000; seed++) {
      const next = random(seed);
      const file = damaged(next);
      const encoding = ENCODINGS[next(ENCODINGS.length)];
      const format = [undefined, 'csv', 'ldif'][next(3)] as 'csv' | 'ldif' | undefined;
      const options = { limits, photos, ...(encoding !== undefined && { encoding }), ...(format && { format }) };
      const whole = await outcome([file], options);
      const cut = 1 + next(7);
      const chunks = Array.from({ length: Math.ceil(file.length / cut) }, (_, i) =>
        file.subarray(i * cut, (i + 1) * cut),
      );
      assert.deepEqual(await outcome(chunks, options), whole, `seed ${seed}`);
      if (typeof whole === 'string') continue;
      assert.ok(whole.length <= file.length + 1, `seed ${seed}`);
      for (const item of whole) {
        assert.ok(item.line >= 1, `seed ${seed}`);
        if ('code' in item)
          assert.ok(item.field !== '' && item.reason !== '' && !item.reason.includes('{'), `seed ${seed}`);
        if ('row' in item) assert.ok(!JSON.stringify(item.row).includes('\ufffd'), `seed ${seed}`);
      }
    }
  });

  it('are read to their end, however often a quotation mark opens or an entry is malformed', async () => {
    const times = 60_000;
    for (const line of ['"\n', '"a\n', 'a,"b\n', '"",\n', `"${'""'.repeat(20)}\n`, 'a@x.example,"\n\n']) {
      const items = await itemsOf(`mail,name\n${line.repeat(times)}z@x.example,Z\n`);
      assert.ok('row' in (items.at(-1) as PeopleFileItem), line);
    }
    for (const line of ['dn: a\n', ' \n', 'dn: a\n\n', '::\n', '#\n', 'a:\n', 'dn: a\nmail: b\n-\n\n']) {
      const items = await itemsOf(`${line.repeat(times)}\ndn: z\nmail: z@x.example\n`, { format: 'ldif' });
      assert.ok('row' in (items.at(-1) as PeopleFileItem), line);
    }
  });
});
