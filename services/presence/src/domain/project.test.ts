import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AggregateState } from './aggregate.ts';
import type { Level } from './person.ts';
import { offlineView, project } from './project.ts';

const busy: AggregateState = { availability: 6500, mode: 'busy', activity: '', device: 'mobile', mobileOnly: true };
const disturbed: AggregateState = { ...busy, availability: 9500, mode: 'do-not-disturb' };
const shown = { _id: 'p', modeSince: 1000, note: { text: 'back at two', setAt: 900 } };
const LEVELS: readonly Level[] = ['external', 'colleagues', 'workgroup', 'friends', 'blocked'];

describe('the view of a level', () => {
  it('has the items that the reference gives it', () => {
    const seen = Object.fromEntries(
      LEVELS.map(level => {
        const v = project(busy, shown, level, true);
        return [level, [v.availability, v.note, v.noteSetAt, v.device, v.mobileOnly, v.lastActiveAt]];
      }),
    );
    const all = [6500, 'back at two', 900, 'mobile', true, 1000];
    assert.deepEqual(seen, {
      external: [6500, '', 0, undefined, false, 0],
      colleagues: all,
      workgroup: all,
      friends: all,
      blocked: [18500, '', 0, undefined, false, 0],
    });
  });

  it('tells only the workgroup that urgent interruptions are welcome', () => {
    const seen = LEVELS.map(level => {
      const view = project(disturbed, shown, level, true);
      return [view.availability, view.activity];
    });
    assert.deepEqual(seen, [
      [9500, ''],
      [9500, ''],
      [6900, 'urgent-interruptions-only'],
      [9500, ''],
      [18500, ''],
    ]);
  });

  it('keeps "last active" back unless policy shows it', () => {
    for (const level of LEVELS) assert.equal(project(busy, shown, level, false).lastActiveAt, 0);
  });

  it('is for the blocked the same as for somebody who does not exist', () => {
    assert.deepEqual(project(disturbed, shown, 'blocked', true), offlineView('p'));
  });
});
