/** Files of people that are damaged, strange or nothing of the kind. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isProblem, PEOPLE_COLUMNS, PEOPLE_FILE_REASONS, PeopleFileError, readPeopleFile } from '@parley/people-file';
import fc from 'fast-check';
import { runs } from './src/settings.ts';
import { anyText, damaged } from './src/shapes.ts';
import { alive, watchProcess } from './src/watch.ts';

/** Small, so that a few lines reach them. */
const limits = {
  rows: 50,
  columns: 20,
  lineBytes: 2000,
  rowCharacters: 1500,
  rowLines: 5,
  valueCharacters: 1500,
  values: 8,
};

const csv = `address,display_name,department,title,manager,groups\r
ann@fuzz.example,"Ann ""A"" O’Neill",Care,Nurse,,"night,day"\r
ben@fuzz.example,班,"Two
lines",Doctor,ann@fuzz.example,\r
大文@fuzz.example,陳大文,,,,\r
`;
const ldif = `version: 1
# people
dn: uid=ann,ou=people,dc=fuzz,dc=example
changetype: add
objectClass: inetOrgPerson
uid: ann
cn: Ann
mail: ann@fuzz.example
description: folded
  over two lines

dn:: dWlkPWJlbixvdT1wZW9wbGUsZGM9ZnV6eixkYz1leGFtcGxl
objectClass: inetOrgPerson
cn:: 6Zmz5aSn5paH
mail: ben@fuzz.example
manager: uid=ann,ou=people,dc=fuzz,dc=example
jpegPhoto:: /9j/4AAQSkZJRg==

`;

const cell = fc.oneof(
  anyText,
  fc.constantFrom('', '"', '""', '"a', 'a"b', 'ann@fuzz.example', '\t', 'x'.repeat(1600), '=1+1', '\u0000', ';', ','),
);
const header = fc.shuffledSubarray(
  PEOPLE_COLUMNS.flatMap(column => column.names),
  { minLength: 1 },
);
const anyCsv = fc
  .record({
    header,
    rows: fc.array(fc.array(cell, { maxLength: 12 }), { maxLength: 60 }),
    comma: fc.constantFrom(',', ';', '\t'),
    end: fc.constantFrom('\n', '\r\n', '\r'),
  })
  .map(({ header: names, rows, comma, end }) => [names, ...rows].map(row => row.join(comma)).join(end));
const attribute = fc.constantFrom(
  'dn',
  'mail',
  'cn',
  'sn',
  'uid',
  'manager',
  'jpegPhoto',
  'changetype',
  'control',
  'version',
  'objectClass',
  ' ',
  '#',
  '-',
);
const anyLdif = fc
  .array(
    fc.tuple(attribute, fc.constantFrom(':', ': ', '::', ':: ', ':<', ':< ', ''), cell).map(parts => parts.join('')),
    { maxLength: 80 },
  )
  .map(lines => `version: 1\n${lines.join('\n')}\n`);
const encodings = ['utf8', 'utf16le', 'latin1'] as const;
const anyFile = fc.oneof(
  damaged(fc.constantFrom(csv, ldif).map(text => Buffer.from(text))),
  damaged(fc.constantFrom(csv, ldif).map(text => Buffer.from(`\ufeff${text}`, 'utf16le'))),
  fc
    .tuple(fc.oneof(anyCsv, anyLdif), fc.constantFrom(...encodings))
    .map(([text, encoding]) => Buffer.from(text, encoding)),
  fc.uint8Array({ maxLength: 3000 }).map(bytes => Buffer.from(bytes)),
);

async function read(file: Buffer, cuts: readonly number[], options: object) {
  const at = [...new Set(cuts.map(cut => cut % (file.length + 1)))].sort((a, b) => a - b);
  const chunks = [...at, file.length].map((end, i) => file.subarray(at[i - 1] ?? 0, end));
  const seen: unknown[] = [];
  try {
    for await (const item of readPeopleFile(chunks, { limits, ...options })) seen.push(item);
  } catch (error) {
    if (!(error instanceof PeopleFileError)) throw error;
    seen.push(error.code);
  }
  return seen;
}

describe('a file of people with any content', () => {
  it('is read or refused with a documented reason, the same however it arrives', async () => {
    const watch = watchProcess();
    const options = fc.record(
      {
        format: fc.constantFrom('csv', 'ldif'),
        encoding: fc.constantFrom('utf-8', 'big5', 'utf-16le', 'windows-1252', 'no such'),
      },
      { requiredKeys: [] },
    );
    const cuts = fc.array(fc.nat({ max: 5000 }), { maxLength: 8 });
    const atFirst = await alive();
    await fc.assert(
      fc.asyncProperty(anyFile, cuts, fc.option(options, { nil: {}, freq: 3 }), async (file, at, how) => {
        const whole = await read(file, [], how);
        for (const item of whole) {
          const code =
            typeof item === 'string' ? item : isProblem(item as never) ? (item as { code: string }).code : undefined;
          if (code !== undefined) assert.ok(Object.hasOwn(PEOPLE_FILE_REASONS, code), code);
        }
        assert.deepEqual(await read(file, at, how), whole);
      }),
      runs(400),
    );
    const grown = ((await alive()) - atFirst) / 2 ** 20;
    assert.ok(grown < 25, `${grown.toFixed(1)} MiB more are alive`);
    watch.done();
  });

  it('is read to its end, whatever repeats', async () => {
    const atFirst = await alive();
    const lines = [
      `address,display_name\n${'"'.repeat(400_000)}\n`,
      `address,display_name\n${'"a\n'.repeat(200_000)}`,
      `version: 1\n${'dn: a\n b\n'.repeat(60_000)}`,
      `version: 1\ndn: a\n${' x\n'.repeat(200_000)}`,
      `address,display_name\n${','.repeat(500_000)}\n`,
      `address,display_name\n${'\r'.repeat(500_000)}\n`,
    ];
    for (const text of lines) await read(Buffer.from(text), [], {});
    // What takes exponential time ends by the timeout of the tests.
    const grown = ((await alive()) - atFirst) / 2 ** 20;
    assert.ok(grown < 25, `${grown.toFixed(1)} MiB more are alive`);
  });
});
