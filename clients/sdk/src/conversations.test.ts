import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { ImEventKind, ImEventSchema } from '@parley/contracts/im/v1/im';
import { event } from '../test/events.ts';
import { createConversations } from './conversations.ts';

const world = () => createConversations(() => 'mei');
const fromTom = (n: number) => event({ senderId: 'tom', to: 'mei', n });
const fromMei = (n: number, messageId = `m${n}`) => event({ senderId: 'mei', to: 'tom', n, messageId });
const onItsWay = (messageId: string) => ({
  id: `mei.${messageId}`,
  senderId: 'mei',
  text: `text ${messageId}`,
  importance: 'normal' as const,
  timeMs: 5,
});
const shown = (conversations: ReturnType<typeof world>, personId = 'tom') =>
  conversations
    .with(personId)
    .getSnapshot()
    .messages.map(m => `${m.id} ${m.state}`);

describe('a conversation', () => {
  it('orders messages by key, however late they come, each once', () => {
    const conversations = world();
    for (const n of [3, 1, 2, 5, 4, 2]) conversations.apply(n % 2 ? fromTom(n) : fromMei(n));
    assert.deepEqual(shown(conversations), [
      'tom.m1 received',
      'mei.m2 sent',
      'tom.m3 received',
      'mei.m4 sent',
      'tom.m5 received',
    ]);
    assert.equal(conversations.with('tom').getSnapshot().lastKey, 'k000005');
  });

  it('shows what is on its way last and puts it into its place when it is acknowledged', () => {
    const conversations = world();
    conversations.apply(fromTom(1));
    conversations.sending('tom', onItsWay('a'));
    conversations.sending('tom', onItsWay('b'));
    conversations.apply(fromTom(3));
    assert.deepEqual(shown(conversations), ['tom.m1 received', 'tom.m3 received', 'mei.a sending', 'mei.b sending']);
    conversations.acknowledged('tom', { ...onItsWay('a'), key: 'k000002' });
    assert.deepEqual(shown(conversations), ['tom.m1 received', 'mei.a sent', 'tom.m3 received', 'mei.b sending']);
  });

  it('shows a message once when the stream brings it before the acknowledgement', () => {
    const conversations = world();
    conversations.sending('tom', onItsWay('a'));
    conversations.apply(fromMei(1, 'a'));
    conversations.acknowledged('tom', { ...onItsWay('a'), key: 'k000001' });
    assert.deepEqual(shown(conversations), ['mei.a sent']);
    conversations.failed('tom', 'mei.a', new Error('too late to fail'));
    conversations.sending('tom', onItsWay('a'));
    assert.deepEqual(shown(conversations), ['mei.a sent']);
  });

  it('shows that a message failed and why, and lets it be sent again under the same id', () => {
    const conversations = world();
    conversations.sending('tom', onItsWay('a'));
    const error = new Error('refused');
    conversations.failed('tom', 'mei.a', error);
    assert.equal(conversations.with('tom').getSnapshot().messages[0]?.error, error);
    conversations.sending('tom', onItsWay('a'));
    assert.deepEqual(shown(conversations), ['mei.a sending']);
  });

  it('is the same object until it changes, and tells everybody when it does', () => {
    const conversations = world();
    const store = conversations.with('tom');
    let told = 0;
    const off = store.subscribe(() => told++);
    assert.equal(store.getSnapshot(), store.getSnapshot());
    const before = store.getSnapshot();
    conversations.apply(fromTom(1));
    assert.notEqual(store.getSnapshot(), before);
    assert.equal(store.getSnapshot(), store.getSnapshot());
    assert.equal(told, 1);
    off();
    conversations.apply(fromTom(2));
    assert.equal(told, 1);
  });

  it('skips kinds of later versions', () => {
    const conversations = world();
    conversations.apply(create(ImEventSchema, { ...fromTom(1), kind: ImEventKind.REACTION }));
    conversations.apply(create(ImEventSchema, { ...fromTom(2), kind: 99 as ImEventKind }));
    assert.deepEqual(shown(conversations), []);
  });
});

describe('the list of conversations', () => {
  const ana = (n: number) => event({ senderId: 'ana', to: 'mei', n });
  const ben = (n: number) => event({ senderId: 'ben', to: 'mei', n });

  it('has the most recent first, whatever order things are heard in', () => {
    const conversations = world();
    for (const e of [fromTom(5), ana(9), ben(2), fromTom(1), ana(3)]) conversations.apply(e);
    assert.deepEqual(conversations.list.getSnapshot(), ['ana', 'tom', 'ben']);
    conversations.apply(ben(10));
    assert.deepEqual(conversations.list.getSnapshot(), ['ben', 'ana', 'tom']);
  });

  it('brings one to the front in which something is on its way, and does not change for what changes no place', () => {
    const conversations = world();
    for (const e of [fromTom(5), ana(9)]) conversations.apply(e);
    conversations.sending('tom', onItsWay('a'));
    assert.deepEqual(conversations.list.getSnapshot(), ['tom', 'ana']);
    const before = conversations.list.getSnapshot();
    conversations.sending('tom', onItsWay('b'));
    assert.equal(conversations.list.getSnapshot(), before);
  });

  it('forgets everything when somebody else signs in', () => {
    const conversations = world();
    conversations.apply(fromTom(5));
    conversations.forget();
    assert.deepEqual(conversations.list.getSnapshot(), []);
    assert.deepEqual(shown(conversations), []);
  });
});
