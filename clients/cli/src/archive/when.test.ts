import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseWhen } from './when.ts';

describe('times of a query', () => {
  const [from, until] = [parseWhen(false), parseWhen(true)];

  it('take a day of this machine’s zone from its beginning, and until its end', () => {
    assert.equal(from('2026-01-05'), new Date(2026, 0, 5).getTime());
    assert.equal(until('2026-01-05'), new Date(2026, 0, 6).getTime());
    assert.equal(until('2026-12-31'), new Date(2027, 0, 1).getTime());
  });

  it('take a time of this zone, of UTC or with an offset as it is', () => {
    for (const read of [from, until]) {
      assert.equal(read('2026-01-05T09:30'), new Date(2026, 0, 5, 9, 30).getTime());
      assert.equal(read('2026-01-05T09:30:15.250Z'), Date.UTC(2026, 0, 5, 9, 30, 15, 250));
      assert.equal(read('2026-01-05T09:30+08:00'), Date.UTC(2026, 0, 5, 1, 30));
    }
  });

  it('take nothing else', () => {
    const wrong = [
      '',
      'yesterday',
      '2026-1-5',
      '05.01.2026',
      '2026-02-30',
      '2026-13-01',
      '2026-01-05T25:00',
      '1767600000',
    ];
    for (const text of [...wrong, '2026-01-05 09:30', '2026-02-30T10:00Z'])
      assert.throws(() => from(text), /Give a day/, text);
  });
});
