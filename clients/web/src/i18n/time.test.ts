import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTimes } from './time.ts';

const english = { today: 'Today', yesterday: 'Yesterday' };
const chinese = { today: '今天', yesterday: '昨天' };
const at = (text: string) => Date.parse(text);
const now = at('2026-03-18T15:00:00+08:00'); // a Wednesday

describe('times', () => {
  const gb = createTimes('en-GB', english, 'Asia/Taipei');
  const tw = createTimes('zh-TW', chinese, 'Asia/Taipei');

  it('are written in the person’s language', () => {
    const ms = at('2026-03-18T09:05:00+08:00');
    assert.equal(gb.clock(ms), '09:05');
    assert.match(tw.clock(ms), /9:05/);
    assert.match(tw.clock(ms), /上午|早上|清晨/);
    assert.match(createTimes('en-US', english, 'Asia/Taipei').clock(ms), /9:05\sAM/);
    assert.match(gb.full(ms), /Wednesday.*18 March 2026.*09:05/);
    assert.match(tw.full(ms), /2026年3月18日/);
  });

  it('name days by how long ago they are', () => {
    for (const [text, day, brief] of [
      ['2026-03-18T00:01:00+08:00', 'Today', '00:01'],
      ['2026-03-17T23:59:00+08:00', 'Yesterday', 'Yesterday'],
      ['2026-03-12T12:00:00+08:00', 'Thursday', 'Thu'],
      ['2026-03-11T12:00:00+08:00', 'Wednesday 11 March', '11 Mar'],
      ['2025-12-31T12:00:00+08:00', 'Wednesday 31 December 2025', '31/12/2025'],
      ['2026-03-19T00:30:00+08:00', 'Thursday 19 March', '19 Mar'],
    ] as const) {
      assert.equal(gb.day(at(text), now).replace(',', ''), day); // versions of ICU differ in the comma
      assert.equal(gb.brief(at(text), now), brief);
    }
    assert.equal(tw.day(at('2026-03-17T12:00:00+08:00'), now), '昨天');
    assert.match(tw.day(at('2026-03-11T12:00:00+08:00'), now), /^3月11日 ?星期三$/);
  });

  it('go by the calendar of the time zone, in which days can have 23 or 25 hours', () => {
    const berlin = createTimes('en-GB', english, 'Europe/Berlin');
    const monday = at('2026-03-30T00:30:00+02:00'); // clocks went forward on Sunday
    assert.equal(berlin.day(at('2026-03-29T01:30:00+01:00'), monday), 'Yesterday');
    assert.equal(berlin.day(at('2026-03-28T23:30:00+01:00'), monday), 'Saturday');
    assert.notEqual(berlin.dayKey(monday), createTimes('en-GB', english, 'UTC').dayKey(monday));
  });
});
