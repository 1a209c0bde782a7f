import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ShownMessage } from '@parley/client';
import { CommandError } from '../tabs/protocol.ts';
import { mergeMessages, refusalOf } from './messages.ts';

const message = (id: string, key: string, state: ShownMessage['state'] = 'received'): ShownMessage => ({
  id,
  senderId: id.split('.')[0] ?? '',
  text: `text of ${id}`,
  importance: 'normal',
  key,
  timeMs: Number(key || 99),
  state,
});
const none = new Set<string>();
const ids = (messages: readonly { readonly id: string }[]) => messages.map(one => one.id);

describe('the messages of a conversation', () => {
  it('are what was shown before and what the client knows, in the order of their keys', () => {
    const before = mergeMessages('me', [], [message('mei.1', '10'), message('me.2', '20', 'sent')], [], none);
    const after = mergeMessages('me', before, [message('mei.3', '15'), message('me.4', '', 'sending')], [], none);
    assert.deepEqual(ids(after), ['mei.1', 'mei.3', 'me.2', 'me.4']);
  });

  it('stay the same objects while nothing about them changes, and the same list', () => {
    const known = [message('mei.1', '10'), message('mei.2', '20')];
    const before = mergeMessages('me', [], known, [], none);
    assert.equal(mergeMessages('me', before, known, [], none), before);
    const after = mergeMessages('me', before, [...known, message('mei.3', '30')], [], none);
    assert.equal(after[0], before[0]);
  });

  it('show what was sent once, at its place, when it is acknowledged', () => {
    const before = mergeMessages('me', [], [message('me.1', '', 'sending')], [], none);
    const after = mergeMessages('me', before, [message('me.1', '30', 'sent')], [], none);
    assert.deepEqual(
      after.map(one => [one.id, one.key, one.state]),
      [['me.1', '30', 'sent']],
    );
  });

  it('drop what the leader before was sending and this one knows nothing of', () => {
    const before = mergeMessages('me', [], [message('me.1', '', 'sending')], [], none);
    assert.deepEqual(mergeMessages('me', before, [], [], none), []);
  });

  it('keep what was refused until it is sent again or given up', () => {
    const refusal = { code: 'im.recipient_disabled', params: {} };
    const failed = [{ messageId: '1', text: 'hello', timeMs: 5, refusal }];
    const shown = mergeMessages('me', [], [], failed, none);
    assert.deepEqual(
      shown.map(one => [one.id, one.state, one.refusal?.code]),
      [['me.1', 'failed', 'im.recipient_disabled']],
    );
    const again = mergeMessages('me', shown, [message('me.1', '', 'sending')], [], none);
    assert.deepEqual(again[0]?.state, 'sending');
    assert.deepEqual(mergeMessages('me', shown, [message('me.1', '', 'failed')], [], new Set(['me.1'])), []);
  });
});

describe('a refusal', () => {
  it('is made of whatever was thrown', () => {
    assert.deepEqual(refusalOf({ code: 'im.text_too_long', params: { limit: '8000' }, retryAfterMs: 5 }), {
      code: 'im.text_too_long',
      params: { limit: '8000' },
      retryAfterMs: 5,
    });
    assert.deepEqual(refusalOf(new CommandError({ code: 'x.y', params: {} })), { code: 'x.y', params: {} });
    assert.equal(refusalOf(new TypeError('boom')).code, 'web.unexpected');
  });
});
