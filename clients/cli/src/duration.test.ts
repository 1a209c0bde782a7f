import assert from 'node:assert/strict';
import { it } from 'node:test';
import { InvalidArgumentError } from 'commander';
import { parseCount, parseDuration } from './duration.ts';
import { lengthOf, timeOf } from './output/time.ts';
import { serverUrl } from './server-url.ts';

it('durations are read as people write them', () => {
  const values = ['90s', '30m', '2h', '1h30m', '3d', '500ms', '7', '1.5'].map(parseDuration);
  assert.deepEqual(values, [90_000, 1_800_000, 7_200_000, 5_400_000, 259_200_000, 500, 7_000, 1_500]);
  for (const text of ['', 'soon', '2 h', '-1s', '1w', 'h', '1h30'])
    assert.throws(() => parseDuration(text), InvalidArgumentError, text);
});

it('counts have bounds', () => {
  assert.equal(parseCount(1, 100)('100'), 100);
  for (const text of ['0', '101', '1.5', '-1', 'ten', ''])
    assert.throws(() => parseCount(1, 100)(text), InvalidArgumentError);
});

it('server addresses get one form, and passwords go unencrypted only to this machine', () => {
  assert.equal(serverUrl('https://parley.example/', false), 'https://parley.example');
  assert.equal(serverUrl('parley.example', false), 'https://parley.example');
  for (const local of ['http://127.0.0.1:7380', 'http://localhost:7380', 'http://[::1]:7380', 'http://127.8.9.1'])
    assert.equal(serverUrl(`${local}/`, false), local);
  assert.throws(() => serverUrl('http://parley.example', false), /unencrypted/);
  assert.throws(() => serverUrl('http://127.0.0.1.evil.example', false), /unencrypted/);
  assert.equal(serverUrl('http://parley.example', true), 'http://parley.example');
  for (const text of ['ftp://x.example', 'https://user:pw@x.example', 'https://x.example/?a=1', 'https://', ''])
    assert.throws(() => serverUrl(text, true), /not the address/, text);
});

it('times are short for today and whole for other days', () => {
  const noon = new Date(2026, 4, 3, 12, 5).getTime();
  assert.equal(timeOf(noon, noon + 60_000), '12:05');
  assert.equal(timeOf(noon, noon + 86_400_000), '2026-05-03 12:05');
  assert.deepEqual([1_400, 89_000, 600_000, 7_200_000, 259_200_000].map(lengthOf), [
    '1 s',
    '89 s',
    '10 min',
    '2 h',
    '3 days',
  ]);
});
