import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Message } from '../engine/state.ts';
import { groupMessages } from './group-messages.ts';
import { pathOf, personOfPath } from './route.ts';

const MINUTE = 60_000;
const message = (id: string, senderId: string, minute: number): Message => ({
  id,
  senderId,
  text: id,
  high: false,
  key: id,
  timeMs: minute * MINUTE,
  state: 'received',
});
const day = (ms: number) => String(Math.floor(ms / (24 * 60 * MINUTE)));

describe('groups of messages', () => {
  it('hold what one person said without a pause', () => {
    const groups = groupMessages(
      [message('1', 'a', 0), message('2', 'a', 4), message('3', 'b', 4), message('4', 'a', 5), message('5', 'a', 11)],
      day,
      undefined,
    );
    assert.deepEqual(
      groups.map(group => group.messages.map(one => one.id).join()),
      ['1,2', '3', '4', '5'],
    );
    assert.deepEqual(
      groups.map(group => group.newDay),
      [true, false, false, false],
    );
  });

  it('begin anew with a day, and where the new messages begin', () => {
    const groups = groupMessages(
      [message('1', 'a', 24 * 60 - 1), message('2', 'a', 24 * 60), message('3', 'a', 24 * 60 + 1)],
      day,
      '3',
    );
    assert.deepEqual(
      groups.map(({ id, newDay, firstNew }) => [id, newDay, firstNew]),
      [
        ['1', true, false],
        ['2', true, false],
        ['3', false, true],
      ],
    );
  });
});

describe('the path of a conversation', () => {
  it('names the person and nothing else', () => {
    assert.equal(personOfPath(pathOf('ab_C-9')), 'ab_C-9');
    for (const path of ['/', '/c/', '/c/a/b', '/c/<x>', `/c/${'a'.repeat(65)}`])
      assert.equal(personOfPath(path), undefined);
  });
});
