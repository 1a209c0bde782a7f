/** Messages of any type, and what can go wrong with their bytes. */
import { create, type DescField, type DescMessage, ScalarType, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';

/** What a field is likely to hold, by a pattern its name matches: the first one counts. */
export type Vocabulary = readonly (readonly [RegExp, readonly string[]])[];

const alien = [
  '',
  ' ',
  '\u0000',
  '.',
  '..',
  '../../etc/passwd',
  '*',
  '>',
  'a.b.c',
  '$where',
  '{"$gt":""}',
  '__proto__',
  'constructor',
  "' OR 1=1 --",
  'NaN',
  '-1',
  '1e309',
  '9'.repeat(400),
  'x'.repeat(9000),
  '林'.repeat(3000),
  '\u202e\u200b\ufeff',
  '👩🏽‍🚒'.repeat(40),
  'ＡＢＣ＠ｆｕｚｚ．ｅｘａｍｐｌｅ',
  'İstanbul@fuzz.example',
  'ß@fuzz.example',
  'a@b@fuzz.example',
  '"a b"@fuzz.example',
  'a@xn--.example',
  '2026-02-30T25:61:61Z',
  'en-u-va-posix',
  'zz-ZZ-zzzzzzzzzz',
];

const extremes = [0, 1, -1, 2, 100, 65_535, 2 ** 31 - 1, -(2 ** 31)];
const bigExtremes = [0n, 1n, -1n, 1_700_000_000_000n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];

/** Any code points that have bytes. The library's own unit for this holds a table of 60 MB. */
export const anyText: fc.Arbitrary<string> = fc
  .array(fc.nat({ max: 0x10ffff }), { maxLength: 20 })
  .map(points => String.fromCodePoint(...points).toWellFormed());

function text(name: string, words: Vocabulary): fc.Arbitrary<string> {
  const likely = words.find(([pattern]) => pattern.test(name))?.[1] ?? ['a', 'words of any length', '林美玲'];
  return fc.oneof(
    { weight: 12, arbitrary: likely.length > 0 ? fc.constantFrom(...likely) : fc.uuid() },
    { weight: 1, arbitrary: fc.constantFrom(...alien) },
    { weight: 1, arbitrary: fc.constantFrom(...words.flatMap(([, some]) => some)) },
    { weight: 1, arbitrary: anyText },
  );
}

function scalar(type: ScalarType, name: string, words: Vocabulary): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return text(name, words);
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 300 });
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
      return fc.double();
    case ScalarType.FLOAT:
      return fc.float();
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return fc.oneof(
        { weight: 1, arbitrary: fc.constantFrom(...bigExtremes) },
        { weight: 3, arbitrary: name.endsWith('_ms') ? nearNow : fc.bigInt({ min: 0n, max: 3n }) },
      );
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return fc.oneof(fc.constantFrom(0n, 1n, 2n ** 64n - 1n), fc.bigInt({ min: 0n, max: 10_000n }));
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.oneof(
        { weight: 1, arbitrary: fc.constantFrom(0, 2 ** 32 - 1) },
        { weight: 4, arbitrary: fc.nat({ max: 50 }) },
      );
    default:
      return fc.oneof(fc.constantFrom(...extremes), fc.nat({ max: 1000 }));
  }
}

function single(field: DescField, words: Vocabulary, depth: number): fc.Arbitrary<unknown> {
  if (field.message && field.fieldKind !== 'map') return message(field.message, words, depth + 1);
  if (field.enum && field.fieldKind !== 'map') {
    return fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom(...field.enum.values.map(value => value.number)) },
      { weight: 1, arbitrary: fc.constantFrom(99, -1, 2 ** 31 - 1) },
    );
  }
  return scalar(field.scalar ?? ScalarType.STRING, field.name, words);
}

/** A few seconds before or after now. */
const nearNow = fc.nat({ max: 20_000 }).map(ms => BigInt(Date.now() - 10_000 + ms));

/** A message whose fields are there or not. */
export function message(desc: DescMessage, words: Vocabulary, depth = 0): fc.Arbitrary<object> {
  const arbitraries: Record<string, fc.Arbitrary<unknown>> = {};
  for (const member of desc.members) {
    if (member.kind === 'oneof') {
      const cases = member.fields.map(field =>
        single(field, words, depth).map(value => ({ case: field.localName, value })),
      );
      arbitraries[member.localName] = fc.oneof(...cases);
    } else if (member.message !== undefined && depth > 4) {
      continue;
    } else if (member.fieldKind === 'list') {
      const many = fc.array(single(member, words, depth), { maxLength: 4 });
      // Now and then a list longer than any limit.
      const flood = single(member, words, depth).map(item => Array.from({ length: 2000 }, () => item));
      arbitraries[member.localName] = fc.oneof({ weight: 40, arbitrary: many }, { weight: 1, arbitrary: flood });
    } else if (member.fieldKind === 'map') {
      const value = member.scalar ? scalar(member.scalar, member.name, words) : fc.constant(undefined);
      arbitraries[member.localName] = fc.dictionary(fc.constantFrom('a', '__proto__', ''), value, { maxKeys: 3 });
    } else {
      arbitraries[member.localName] = single(member, words, depth);
    }
  }
  // Most fields are there, or nothing would get past the first check.
  return fc
    .oneof(
      { weight: 3, arbitrary: fc.record(arbitraries) },
      { weight: 1, arbitrary: fc.record(arbitraries, { requiredKeys: [] }) },
    )
    .map(fields => create(desc, fields as never));
}

/** Encoded messages of a type. */
export function encoded(desc: DescMessage, words: Vocabulary): fc.Arbitrary<Uint8Array> {
  return message(desc, words).map(fields => toBinary(desc, fields as never));
}

/** What may happen to bytes on their way: cut, doubled, changed, filled in, put together anew. */
export function damaged(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Buffer> {
  const change = fc.record({
    kind: fc.constantFrom('cut', 'flip', 'insert', 'double', 'length', 'swap'),
    at: fc.nat({ max: 2 ** 16 }),
    value: fc.nat({ max: 255 }),
    bytes: fc.uint8Array({ maxLength: 12 }),
  });
  return fc.tuple(valid, fc.array(change, { minLength: 1, maxLength: 4 })).map(([bytes, changes]) => {
    let now: Buffer = Buffer.from(bytes);
    for (const { kind, at, value, bytes: more } of changes) {
      const i = now.length === 0 ? 0 : at % now.length;
      if (kind === 'cut') now = now.subarray(0, i);
      else if (kind === 'insert') now = Buffer.concat([now.subarray(0, i), more, now.subarray(i)]);
      else if (kind === 'double') now = Buffer.concat([now, now.subarray(i)]).subarray(0, 60_000);
      else if (kind === 'swap') now = Buffer.concat([now.subarray(i), now.subarray(0, i)]);
      else if (now.length > 0) now[i] = kind === 'flip' ? (now[i] as number) ^ (1 << (value & 7)) : value;
    }
    return now;
  });
}
