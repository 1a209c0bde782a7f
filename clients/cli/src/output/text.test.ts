import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { table } from './table.ts';
import { counted, oneLine, pad, safeJson, sanitise, truncate, widthOf } from './text.ts';

it('counts in the singular and the plural', () => {
  assert.deepEqual(
    [counted(0, 'record'), counted(1n, 'record'), counted(2, 'entry', 'entries')],
    ['0 records', '1 record', '2 entries'],
  );
});

describe('text that somebody else wrote', () => {
  it('cannot move the cursor, ring, change the title, or turn the direction of what follows', () => {
    assert.equal(sanitise('\u001b[2J\u001b]0;owned\u0007'), '␛[2J␛]0;owned␇');
    assert.equal(sanitise('a\u009b31mb\u007f\u0000'), 'a\ufffd31mb␡␀');
    assert.equal(sanitise('user\u202egnp.exe\u2066'), 'user\ufffdgnp.exe\ufffd');
    assert.equal(sanitise('over\rwritten'), 'over␍written');
    assert.equal(sanitise('\ud800'), '\ufffd');
  });

  it('keeps what people really write', () => {
    const text = '準備好了 👍🏽 — עברית\n\tindented 🧑‍⚕️';
    assert.equal(sanitise(text), text);
    assert.equal(sanitise('a\r\nb'), 'a\nb');
    assert.equal(oneLine('a\n\tb'), 'a b');
  });

  it('is escaped in JSON where JSON would let it through', () => {
    const value = { note: '\u001b[31m\u009b\u202e 界' };
    const text = safeJson(value);
    assert.equal(text, '{"note":"\\u001b[31m\\u009b\\u202e 界"}');
    assert.deepEqual(JSON.parse(text), value);
  });
});

describe('width', () => {
  it('counts wide characters and emoji twice', () => {
    assert.equal(widthOf('林美玲'), 6);
    assert.equal(widthOf('👍🏽'), 2);
    assert.equal(widthOf('🧑‍⚕️'), 2);
    assert.equal(pad('林', 4), '林  ');
  });

  it('is kept when text is cut, at a character as people see it', () => {
    assert.equal(truncate('abcdef', 6), 'abcdef');
    assert.equal(truncate('abcdefg', 6), 'abcde…');
    assert.equal(truncate('林美玲', 4), '林…');
    assert.equal(truncate('林美玲', 5), '林美…');
    assert.equal(truncate('a🧑‍⚕️b', 3), 'a…');
  });
});

describe('a table', () => {
  it('aligns columns by what is seen, not by how it is stored', () => {
    const lines = table(
      ['NAME', 'STATE'],
      [
        ['林美玲', 'available'],
        ['Tom', 'busy'],
      ],
    );
    assert.deepEqual(lines, ['NAME    STATE', '林美玲  available', 'Tom     busy']);
  });

  it('cuts the last column to the terminal, and paints without changing widths', () => {
    const lines = table(
      ['A', 'NOTE'],
      [[{ text: 'x', paint: t => `<${t}>` }, 'a note that is too long for the screen']],
      {
        width: 20,
      },
    );
    assert.equal(lines[1], '<x>  a note that is t…');
  });

  it('cuts the widest other columns where the last one is not enough', () => {
    const row = ['a-long-address@hospital.example', '林美玲林美玲林美玲', 'and a remark'];
    const lines = table(['ADDRESS', 'NAME', 'NOTE'], [row], { width: 40 });
    assert.ok(
      lines.every(line => widthOf(line) <= 40),
      lines.join('\n'),
    );
    assert.equal(lines[1], 'a-long-addres…  林美玲林美玲…   and a r…');
    const narrow = table(['A', 'B', 'C'], [['a'.repeat(99), 'b'.repeat(99), 'c'.repeat(99)]], { width: 10 });
    assert.equal(widthOf(narrow[1] as string), 28, 'but no further than one can read');
  });

  it('stays on its lines whatever is in it', () => {
    assert.deepEqual(table(['A', 'B'], [['two\nlines', '\u001b[1m']]), ['A          B', 'two lines  ␛[1m']);
  });
});
