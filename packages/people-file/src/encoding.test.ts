import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brief, encode, itemsOf, utf16 } from '../test/support.ts';
import { readPeopleFile } from './index.ts';

const TABLE = 'mail,name\r\nmei@clinic.example,林美玲\r\nwei@clinic.example,陳志偉\r\n';
const names = async (file: Uint8Array, encoding?: string) =>
  (await itemsOf(file, encoding === undefined ? {} : { encoding })).map(item =>
    'row' in item ? item.row.displayName : item,
  );
const BOTH = ['林美玲', '陳志偉'];
const with_ = (...parts: (string | Uint8Array)[]) =>
  new Uint8Array(Buffer.concat(parts.map(part => Buffer.from(part as string))));

describe('the encoding of a file', () => {
  it('is UTF-8 with or without a mark, UTF-16 of either order with one, or what was named', async () => {
    assert.deepEqual(await names(Buffer.from(TABLE)), BOTH);
    assert.deepEqual(await names(Buffer.from(`\ufeff${TABLE}`)), BOTH);
    assert.deepEqual(await names(utf16(TABLE, 'le')), BOTH);
    assert.deepEqual(await names(utf16(TABLE, 'be')), BOTH);
    assert.deepEqual(await names(utf16(TABLE, 'be'), 'utf-16'), BOTH);
    assert.deepEqual(await names(utf16(TABLE, 'be', false), 'utf-16be'), BOTH);
    assert.deepEqual(await names(utf16(TABLE, 'le', false), 'utf-16le'), BOTH);
    assert.deepEqual(await names(encode(TABLE, 'big5'), 'big5'), BOTH);
    assert.deepEqual(await names(encode(TABLE, 'gb18030'), 'gb18030'), BOTH);
    assert.deepEqual(await names(Buffer.from('mail,name\na@x.example,Zo\u00eb', 'latin1'), 'windows-1252'), ['Zoë']);
  });

  it('is the same wherever the file is cut into chunks', async () => {
    for (const bytes of [Buffer.from(`\ufeff${TABLE}`), utf16(TABLE, 'le'), utf16(TABLE, 'be')])
      for (const size of [1, 2, 3, 5, 7]) {
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
        const found: unknown[] = [];
        for await (const item of readPeopleFile(chunks)) found.push('row' in item && item.row.displayName);
        assert.deepEqual(found, BOTH);
      }
  });

  it('is asked for where it cannot be known', async () => {
    const refused = (file: Uint8Array, code: string, encoding?: string) =>
      assert.rejects(names(file, encoding), { name: 'PeopleFileError', code: `people_file.${code}` });
    await refused(utf16(TABLE, 'le', false), 'encoding_unmarked');
    await refused(utf16(TABLE, 'be', false), 'encoding_unmarked');
    await refused(utf16(TABLE, 'le'), 'encoding_contradicts', 'big5');
    await refused(Buffer.from(`\ufeff${TABLE}`), 'encoding_contradicts', 'utf-16');
    await refused(Buffer.from(TABLE), 'encoding_unknown', 'klingon');
    await refused(encode('郵件,mail\n', 'big5'), 'header_invalid');
  });
});

describe('bytes that are no text', () => {
  it('are reported with their line and never replaced', async () => {
    const big5 = encode('c@x.example,林\n', 'big5');
    const items = await itemsOf(with_('mail,name\na@x.example,A\n', big5, 'd@x.example,D\n'));
    assert.deepEqual(brief(items), ['2 ok', '3 row encoding_invalid', '4 ok']);
    assert.match(JSON.stringify(items[1]), /not utf-8: name the encoding/);
    const unpaired = with_(
      utf16('mail,name\na@x.example,', 'le'),
      Uint8Array.from([0x00, 0xd8]),
      utf16('\nb@x.example,B', 'le', false),
    );
    assert.deepEqual(brief(await itemsOf(unpaired)), ['2 row encoding_invalid', '3 ok']);
    const half = with_(utf16('mail,name\na@x.example,A', 'le'), Uint8Array.from([0x41]));
    assert.deepEqual(brief(await itemsOf(half)), ['2 row encoding_invalid']);
  });

  it('are reported where a decoder would hand out characters for private use', async () => {
    const odd = (...bytes: number[]) => with_('mail,name\na@x.example,', Uint8Array.from(bytes), '\nb@x.example,B\n');
    for (const bytes of [[0x80], [0xff, 0x40], [0xc6, 0xa1], [0xfa, 0x40]])
      assert.deepEqual(brief(await itemsOf(odd(...bytes), { encoding: 'big5' })), ['2 row encoding_invalid', '3 ok']);
  });

  it('are reported too when a program lost them before', async () => {
    assert.deepEqual(brief(await itemsOf('mail,name\na@x.example,Z\ufffd\n')), ['2 row character_lost']);
  });
});

describe('a source', () => {
  it('that fails is a file that cannot be read', async () => {
    async function* broken() {
      yield Buffer.from('mail\n');
      throw Object.assign(new Error('gone'), { code: 'EIO' });
    }
    await assert.rejects(
      async () => {
        for await (const _ of readPeopleFile(broken())) assert.fail('nothing comes');
      },
      { name: 'PeopleFileError', code: 'people_file.unreadable', message: 'the file cannot be read: EIO' },
    );
  });

  it('may end lines with CR, LF or both', async () => {
    for (const end of ['\r', '\n', '\r\n'])
      assert.deepEqual(brief(await itemsOf(['mail', 'a', '', 'b'].join(end))), ['2 ok', '4 ok']);
  });
});
