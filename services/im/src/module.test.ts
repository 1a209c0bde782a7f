import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { subjects } from '@parley/bus';
import { ArchiveRecordKind } from '@parley/contracts/event/v1/archive_record';
import { DirectoryChangedSchema } from '@parley/contracts/event/v1/bus';
import { type Importance, MessageContentSchema, type TextFormat } from '@parley/contracts/im/v1/im';
import { createWorld, type Replica, until, type World } from './testing/world.ts';

let world: World;
let im: Replica;
const begin = async (config: Parameters<typeof createWorld>[0] = {}) => {
  world = await createWorld(config);
  im = await world.replica();
};
afterEach(() => world.close());

const code = (expected: string, more: object = {}) => ({ code: expected, ...more });

describe('sending', () => {
  it('stores the message, publishes it to both people and answers with its place', async () => {
    await begin();
    const answer = await im.send('ann', 'bob', '你好 👋');
    assert.equal(answer.eventId, `ann.${world.uuid(1)}`);
    assert.equal(answer.replayed, false);
    await until(() => world.published.length === 2);
    assert.deepEqual(world.published.map(p => p.subject).sort(), ['im.ann', 'im.bob']);
    const { events } = await im.sync('bob');
    assert.deepEqual(events, [world.published[0]?.event]);
    assert.equal(events[0]?.content?.text, '你好 👋');
    assert.equal(events[0]?.key, answer.key);
    assert.deepEqual(events[0]?.recipientIds, ['ann', 'bob']);
  });

  it('asks the directory once, not per message', async () => {
    await begin();
    await im.send('ann', 'bob', 'one');
    assert.equal(world.directory.calls, 1);
    for (let i = 0; i < 20; i++) await im.send(i % 2 ? 'ann' : 'bob', i % 2 ? 'bob' : 'ann', `m${i}`);
    assert.equal(world.directory.calls, 1);
  });

  it('returns the stored result of an equal repetition, and shows it to devices again while it is fresh', async () => {
    await begin({ republishMs: 60_000 });
    const message = { messageId: world.uuid(77) };
    const first = await im.send('ann', 'bob', 'once', message);
    for (const attempt of [0, 1]) {
      const again = await im.send('ann', 'bob', 'once', { ...message, attempt });
      assert.deepEqual(again, { ...first, replayed: true });
    }
    await until(() => world.published.length === 6);
    await world.clock.advance(60_001);
    await im.send('ann', 'bob', 'once', { ...message, attempt: 2 });
    assert.equal(world.published.length, 6);
    assert.equal((await im.sync('bob')).events.length, 1);
  });

  it('accepts the id in capitals as the same id', async () => {
    await begin();
    const id = 'ABCDEF00-0000-4000-8000-000000000000';
    await im.send('ann', 'bob', 'once', { messageId: id });
    assert.equal((await im.send('ann', 'bob', 'once', { messageId: id.toLowerCase() })).replayed, true);
  });

  it('refuses an id used for other content or another recipient, tried before or not', async () => {
    await begin();
    const messageId = world.uuid(77);
    await im.send('ann', 'bob', 'once', { messageId });
    for (const attempt of [0, 1]) {
      await assert.rejects(im.send('ann', 'bob', 'twice', { messageId, attempt }), code('im.message_id_reused'));
      await assert.rejects(im.send('ann', 'cleo', 'once', { messageId, attempt }), code('im.message_id_reused'));
    }
    await im.send('bob', 'ann', 'my own', { messageId });
  });

  it('makes one message of many equal sends at once, over several replicas', async () => {
    await begin();
    const other = await world.replica();
    const sends = Array.from({ length: 20 }, (_, i) =>
      (i % 2 ? im : other).send('ann', 'bob', 'same', { messageId: world.uuid(5) }),
    );
    const answers = await Promise.all(sends);
    assert.equal(answers.filter(a => !a.replayed).length, 1);
    assert.equal(new Set(answers.map(a => a.key)).size, 1);
    assert.equal((await im.sync('bob')).events.length, 1);
  });

  it('sorts an answer after what its author has seen, and refuses a key from the future', async () => {
    await begin({ maxAheadMs: 10_000 });
    const question = await im.send('ann', 'bob', 'question');
    const ahead = await im.send('bob', 'ann', 'x', { afterKey: question.key });
    assert.ok(ahead.key > question.key);
    const { floorKey } = await import('./domain/hybrid-clock.ts');
    const now = world.clock.now();
    const seen = floorKey(now + 9_000);
    const answer = await im.send('ann', 'bob', 'answer', { afterKey: seen });
    assert.ok(answer.key > seen);
    await assert.rejects(im.send('ann', 'bob', 'x', { afterKey: floorKey(now + 10_001) }), code('im.key_in_future'));
    await assert.rejects(im.send('ann', 'bob', 'x', { afterKey: 'nonsense' }), code('im.after_key_invalid'));
  });

  it('names field and code of every refusal and stores nothing', async () => {
    await begin();
    world.directory.add('off', 'none', { enabled: false });
    const refused = async (sent: Promise<unknown>, expected: string, field: string | undefined) =>
      assert.rejects(sent, code(expected, { field }));
    await refused(im.send('ann', 'bob', 'x', { messageId: 'x' }), 'im.message_id_invalid', 'message_id');
    await refused(im.send('ann', 'a b', 'x'), 'im.recipient_invalid', 'recipient_id');
    await refused(im.send('ann', 'ann', 'x'), 'im.recipient_self', 'recipient_id');
    await refused(im.send('ann', 'nobody', 'x'), 'im.recipient_not_found', 'recipient_id');
    await refused(im.send('ann', 'off', 'x'), 'im.recipient_disabled', 'recipient_id');
    await refused(im.send('off', 'ann', 'x'), 'im.sender_disabled', undefined);
    await refused(im.send('ann', 'bob', ''), 'im.text_empty', 'content.text');
    await refused(im.send('ann', 'bob', 'a'.repeat(8_001)), 'im.text_too_long', 'content.text');
    await refused(im.send('ann', 'bob', 'a\u0007'), 'im.text_control_character', 'content.text');
    await refused(im.send('ann', 'bob', '\ud800'), 'im.text_malformed', 'content.text');
    const content = create(MessageContentSchema, { text: 'x' });
    await refused(
      im.send('ann', 'bob', '', { content: { ...content, format: 9 as TextFormat } }),
      'im.format_unsupported',
      'content.format',
    );
    await refused(
      im.send('ann', 'bob', '', { content: { ...content, importance: 9 as Importance } }),
      'im.importance_unsupported',
      'content.importance',
    );
    assert.equal((await im.sync('bob')).events.length, 0);
    assert.equal(world.published.length, 0);
    assert.ok((await im.metric('parley_im_refused_total{code="im.text_empty"}')) === 1);
  });

  it('accepts a text at its limits', async () => {
    await begin();
    await im.send('ann', 'bob', '😀'.repeat(8_000));
    assert.equal((await im.sync('bob')).events[0]?.content?.text.length, 16_000);
  });

  it('lets nobody send faster than the rate', async () => {
    await begin({ sendRatePerSecond: 1, sendBurst: 2 });
    await im.send('ann', 'bob', '1');
    await im.send('ann', 'bob', '2');
    await assert.rejects(im.send('ann', 'bob', '3'), code('im.rate_limited', { retryAfterMs: 1_000 }));
    await im.send('bob', 'ann', 'another sender');
    await world.clock.advance(1_000);
    await im.send('ann', 'bob', '3');
  });

  it('says that nothing happened when the store refuses, and that it is unknown when that is so', async () => {
    await begin();
    const { notApplied, appliedButUnknown } = await import('./testing/faulty-store.ts');
    im.faults.insertEvent = notApplied;
    await assert.rejects(im.send('ann', 'bob', 'x'), code('im.store_unavailable', { kind: 'unavailable' }));
    im.faults.insertEvent = appliedButUnknown;
    const messageId = world.uuid(500);
    await assert.rejects(im.send('ann', 'bob', 'y', { messageId }), code('im.outcome_unknown', { kind: 'unknown' }));
    assert.equal((await im.send('ann', 'bob', 'y', { messageId, attempt: 1 })).replayed, true);
    assert.deepEqual(
      (await im.sync('bob')).events.map(e => e.content?.text),
      ['y'],
    );
  });

  it('says that it is unknown when the store refuses what the log may have taken', async () => {
    await begin({ logDeadlineMs: 2_000 });
    const { notApplied } = await import('./testing/faulty-store.ts');
    world.logFaults.hangAppends();
    im.faults.insertEvent = notApplied;
    const messageId = world.uuid(500);
    const sent = assert.rejects(im.send('ann', 'cleo', 'x', { messageId }), code('im.outcome_unknown'));
    await world.clock.advance(2_000);
    await sent;
    world.logFaults.heal();
    await world.clock.advance(60_000);
    assert.equal((await im.sync('cleo')).events.length, 1);
    assert.equal((await im.send('ann', 'cleo', 'x', { messageId, attempt: 1 })).replayed, true);
  });

  it('says that it is unknown when it was stored and its key cannot be made good', async () => {
    await begin({ keyVisibleMs: 1_000, cursorLagMs: 3_000 });
    const { notApplied } = await import('./testing/faulty-store.ts');
    im.faults.insertEvent = async apply => {
      const result = await apply();
      await world.clock.advance(1_500);
      return result;
    };
    im.faults.replaceEvent = notApplied;
    const messageId = world.uuid(500);
    await assert.rejects(im.send('ann', 'bob', 'slow', { messageId }), code('im.outcome_unknown'));
    assert.equal((await im.send('ann', 'bob', 'slow', { messageId, attempt: 1 })).replayed, true);
    await until(() => world.published.length === 2);
  });

  it('leaves a message where the author of a repetition was told that it is, whoever was held up with it', async () => {
    await begin({ keyVisibleMs: 1_000, cursorLagMs: 3_000 });
    const messageId = world.uuid(501);
    const told: string[] = [];
    im.faults.insertEvent = async apply => {
      const result = await apply();
      told.push((await im.send('ann', 'bob', 'slow', { messageId, attempt: 1 })).key);
      told.push((await im.send('ann', 'bob', 'written after that')).key);
      await world.clock.advance(1_500);
      return result;
    };
    const first = await im.send('ann', 'bob', 'slow', { messageId });
    assert.equal(first.key, told[0]);
    const { events } = await im.sync('bob');
    assert.deepEqual(
      events.map(e => e.key),
      told,
    );
  });

  it('gives a message that became visible too late for its key a new one', async () => {
    await begin({ keyVisibleMs: 1_000, cursorLagMs: 3_000 });
    im.faults.insertEvent = async apply => {
      const result = await apply();
      await world.clock.advance(1_500);
      return result;
    };
    const answer = await im.send('ann', 'bob', 'slow');
    const { events } = await im.sync('bob');
    assert.deepEqual(
      events.map(e => e.key),
      [answer.key],
    );
    const { parseKey } = await import('./domain/hybrid-clock.ts');
    assert.equal(parseKey(answer.key)?.ms, world.clock.now());
    assert.equal(await im.metric('parley_im_rekeyed_total'), 1);
    assert.equal((await im.history('bob', { withPersonId: 'ann' })).events[0]?.key, answer.key);
  });
});

describe('somebody disabled whose token still stands', () => {
  const disable = async (id: string, announced: boolean) => {
    world.directory.change(id, { enabled: false, version: 2n });
    if (!announced) return;
    const bytes = toBinary(DirectoryChangedSchema, create(DirectoryChangedSchema, { version: 2n }));
    world.bus.publish(subjects.directoryChanged(id), bytes);
    await world.bus.flush();
  };
  const reads = (id: string) => [() => im.sync(id), () => im.history(id, { withPersonId: 'ann' })];

  it('reads nothing any more once that is announced, and again when he is enabled', async () => {
    await begin();
    await im.send('ann', 'bob', 'secret');
    for (const read of reads('bob')) assert.equal((await read()).events.length, 1);
    await disable('bob', true);
    for (const read of reads('bob')) await assert.rejects(read(), code('im.account_disabled', { kind: 'forbidden' }));
    assert.equal(await im.metric('parley_im_readers_refused_total'), 2);
    for (const read of reads('nobody')) await assert.rejects(read(), code('im.account_disabled'));
    world.directory.change('bob', { enabled: true, version: 3n });
    await world.clock.advance(world.settings.peopleStaleMs + 1);
    for (const read of reads('bob')) assert.equal((await read()).events.length, 1);
  });

  it('is asked about no more often than it takes, should the announcement get lost', async () => {
    await begin();
    await im.sync('bob');
    const { calls } = world.directory;
    await world.clock.advance(world.settings.readerMaxAgeMs);
    await disable('bob', false);
    await im.sync('bob');
    assert.equal(world.directory.calls, calls);
    await world.clock.advance(1);
    await assert.rejects(im.sync('bob'), code('im.account_disabled'));
    assert.equal(world.directory.calls, calls + 1);
  });

  it('goes on reading while the directory fails or hangs', async () => {
    await begin();
    world.directory.before = () => Promise.reject(new Error('down'));
    assert.equal((await im.sync('bob')).complete, true);
    world.directory.before = () => new Promise(() => undefined);
    const { calls } = world.directory;
    const slow = im.sync('bob');
    await until(() => world.directory.calls > calls);
    await world.clock.advance(world.settings.readerWaitMs);
    assert.equal((await slow).complete, true);
  });
});

describe('what is known of people', () => {
  it('is dropped when the directory announces a change', async () => {
    await begin();
    await im.send('ann', 'bob', '1');
    world.directory.change('bob', { enabled: false, version: 2n });
    world.bus.publish(
      subjects.directoryChanged('bob'),
      toBinary(DirectoryChangedSchema, create(DirectoryChangedSchema, { version: 2n })),
    );
    await world.bus.flush();
    await assert.rejects(im.send('ann', 'bob', '2'), code('im.recipient_disabled'));
  });

  it('is dropped for everybody when a policy of everybody changed, or when words may have been lost', async () => {
    await begin();
    await im.send('ann', 'bob', '1');
    world.bus.publish(subjects.directoryChanged('_global'), new Uint8Array());
    await world.bus.flush();
    await im.send('ann', 'bob', '2');
    assert.equal(world.directory.calls, 2);
    world.bus.breakContinuity();
    await im.send('ann', 'bob', '3');
    assert.equal(world.directory.calls, 3);
  });

  it('is not taken from an answer that was on its way when the change was announced', async () => {
    await begin();
    world.directory.before = async () => {
      world.directory.before = undefined;
      world.directory.change('bob', { enabled: false, version: 2n });
      world.bus.publish(
        subjects.directoryChanged('bob'),
        toBinary(DirectoryChangedSchema, create(DirectoryChangedSchema, { version: 2n })),
      );
      await world.bus.flush();
    };
    await assert.rejects(im.send('ann', 'bob', '1'), code('im.recipient_disabled'));
  });

  it('is not taken from an answer older than the announcement', async () => {
    await begin();
    world.bus.publish(
      subjects.directoryChanged('bob'),
      toBinary(DirectoryChangedSchema, create(DirectoryChangedSchema, { version: 9n })),
    );
    await world.bus.flush();
    await world.clock.advance(1);
    await assert.rejects(im.send('ann', 'bob', '1'), code('im.directory_unavailable'));
    world.directory.change('bob', { version: 9n });
    await im.send('ann', 'bob', '1');
  });

  it('may be stale for two minutes while the directory is away, not longer', async () => {
    await begin({ peopleStaleMs: 120_000, peopleRefreshMs: 60_000 });
    await im.send('ann', 'bob', '1');
    world.directory.before = async () => {
      throw new Error('away');
    };
    await world.clock.advance(119_000);
    await im.send('ann', 'bob', '2');
    await world.clock.advance(2_000);
    await assert.rejects(im.send('ann', 'bob', '3'), code('im.directory_unavailable', { kind: 'unavailable' }));
    world.directory.before = undefined;
    await im.send('ann', 'bob', '3');
  });

  it('is fetched in the background before it is stale', async () => {
    await begin({ peopleStaleMs: 120_000, peopleRefreshMs: 60_000 });
    await im.send('ann', 'bob', '1');
    await world.clock.advance(61_000);
    await im.send('ann', 'bob', '2');
    await until(() => world.directory.calls === 2);
    await world.clock.advance(61_000);
    await im.send('ann', 'bob', '3');
    await until(() => world.directory.calls === 3);
  });
});

describe('reading', () => {
  it('pages through everything once, oldest first, and gives a cursor at the end only', async () => {
    await begin();
    for (let i = 0; i < 25; i++) {
      await im.send(i % 2 ? 'ann' : 'bob', i % 2 ? 'bob' : 'ann', `m${i}`);
      await world.clock.advance(100);
    }
    const texts: (string | undefined)[] = [];
    let page = '';
    let answer: Awaited<ReturnType<Replica['sync']>>;
    do {
      answer = await im.sync('bob', { limit: 10, page });
      texts.push(...answer.events.map(e => e.content?.text));
      assert.equal(answer.complete, answer.nextPage === '');
      assert.equal(answer.cursor === '', !answer.complete);
      page = answer.nextPage;
    } while (page !== '');
    assert.deepEqual(
      texts,
      Array.from({ length: 25 }, (_, i) => `m${i}`),
    );
    assert.deepEqual((await im.sync('cleo')).events, []);
  });

  it('goes on from a cursor without losing what appeared late', async () => {
    await begin({ keyVisibleMs: 20_000, cursorLagMs: 60_000 });
    let release = () => {};
    const held = new Promise<void>(resolve => (release = resolve));
    im.faults.insertEvent = async apply => {
      await held;
      return apply();
    };
    const slow = im.send('ann', 'bob', 'slow');
    await world.clock.advance(5_000);
    await im.send('cleo', 'bob', 'quick');
    const first = await im.sync('bob');
    assert.deepEqual(
      first.events.map(e => e.content?.text),
      ['quick'],
    );
    release();
    await slow;
    const second = await im.sync('bob', { cursor: first.cursor });
    assert.deepEqual(
      second.events.map(e => e.content?.text),
      ['slow', 'quick'],
    );
  });

  it('does not repeat what is older than the lag of the cursor', async () => {
    await begin({ cursorLagMs: 60_000 });
    await im.send('ann', 'bob', 'old');
    await world.clock.advance(61_000);
    await im.send('ann', 'bob', 'new');
    const first = await im.sync('bob');
    assert.equal(first.events.length, 2);
    const second = await im.sync('bob', { cursor: first.cursor });
    assert.deepEqual(
      second.events.map(e => e.content?.text),
      ['new'],
    );
    await world.clock.advance(61_000);
    const third = await im.sync('bob', { cursor: second.cursor });
    assert.deepEqual((await im.sync('bob', { cursor: third.cursor })).events, []);
  });

  it('ends a page that has become too large', async () => {
    await begin({ pageBytes: 65_536 });
    for (let i = 0; i < 5; i++) await im.send('ann', 'bob', '字'.repeat(8_000));
    const page = await im.sync('bob');
    assert.equal(page.events.length, 2);
    assert.equal((await im.sync('bob', { page: page.nextPage })).events.length, 2);
    const history = await im.history('bob', { withPersonId: 'ann' });
    assert.equal(history.events.length, 2);
    assert.notEqual(history.nextCursor, '');
  });

  it('shows the history of a conversation newest first, page by page', async () => {
    await begin();
    for (let i = 0; i < 7; i++) await im.send(i % 2 ? 'ann' : 'bob', i % 2 ? 'bob' : 'ann', `m${i}`);
    await im.send('cleo', 'bob', 'elsewhere');
    const first = await im.history('ann', { withPersonId: 'bob', limit: 4 });
    assert.deepEqual(
      first.events.map(e => e.content?.text),
      ['m6', 'm5', 'm4', 'm3'],
    );
    const second = await im.history('bob', {
      conversationId: first.conversationId,
      limit: 4,
      cursor: first.nextCursor,
    });
    assert.deepEqual(
      second.events.map(e => e.content?.text),
      ['m2', 'm1', 'm0'],
    );
    assert.equal(second.nextCursor, '');
  });

  it('tells nobody about the conversations of others', async () => {
    await begin();
    const { conversationId } = await im.send('ann', 'bob', 'between us');
    const refusal = code('im.conversation_not_found');
    await assert.rejects(im.history('cleo', { conversationId }), refusal);
    await assert.rejects(im.history('cleo', { conversationId: 'd_000000000000000000000000' }), refusal);
    await assert.rejects(im.history('cleo', { conversationId: 'nonsense' }), refusal);
    assert.deepEqual((await im.history('cleo', { withPersonId: 'ann' })).events, []);
    assert.deepEqual((await im.history('cleo', { withPersonId: 'nobody' })).events, []);
  });

  it('refuses limits, cursors and names that cannot be', async () => {
    await begin();
    await assert.rejects(im.sync('bob', { limit: 501 }), code('im.limit_invalid', { field: 'limit' }));
    await assert.rejects(im.sync('bob', { cursor: 'x' }), code('im.cursor_invalid', { field: 'cursor' }));
    await assert.rejects(im.sync('bob', { page: 'x' }), code('im.cursor_invalid', { field: 'page' }));
    await assert.rejects(im.history('bob', { withPersonId: 'ann', limit: 201 }), code('im.limit_invalid'));
    await assert.rejects(im.history('bob', { withPersonId: 'ann', cursor: 'x' }), code('im.cursor_invalid'));
    await assert.rejects(im.history('bob', {}), code('im.conversation_invalid'));
    await assert.rejects(
      im.history('bob', { withPersonId: 'ann', conversationId: 'd_' }),
      code('im.conversation_invalid'),
    );
    await assert.rejects(
      im.history('bob', { withPersonId: 'a b' }),
      code('im.conversation_invalid', { field: 'with_person_id' }),
    );
  });
});

describe('archiving', () => {
  const archiver = () => world.log.consume('archive', 'archiving', async () => undefined);

  it('logs what a policy says, with the bytes that are published, and nothing else', async () => {
    await begin();
    await im.send('ann', 'bob', 'private');
    const answer = await im.send('ann', 'cleo', 'on record');
    const records = await world.archived();
    assert.equal(records.length, 1);
    const [record] = records;
    assert.equal(record?.recordId, answer.eventId);
    assert.equal(record?.kind, ArchiveRecordKind.IM_EVENT);
    assert.equal(record?.decidedBy, 'global');
    assert.equal(record?.critical, false);
    assert.equal(record?.contentHash.length, 32);
    assert.deepEqual(
      record?.people.map(p => p.address),
      ['ann@north.example', 'cleo@north.example'],
    );
  });

  it('stores what the log refuses and relays it later, once, whoever of the replicas does', async () => {
    await begin({ breakerFailures: 3, breakerOpenMs: 2_000 });
    const other = await world.replica();
    world.logFaults.refuseAppends();
    for (let i = 0; i < 10; i++) await im.send('ann', 'cleo', `m${i}`);
    assert.equal((await im.sync('cleo')).events.length, 10);
    assert.deepEqual(await world.archived(), []);
    await world.clock.advance(2_000);
    assert.equal(await im.metric('parley_im_archive_pending_messages'), 10);
    world.logFaults.heal();
    await world.clock.advance(10_000);
    const ids = (await world.archived()).map(r => r.recordId);
    assert.equal(new Set(ids).size, 10);
    assert.equal(await im.metric('parley_im_archive_pending_messages'), 0);
    const relayed =
      (await im.metric('parley_im_archive_relayed_total')) + (await other.metric('parley_im_archive_relayed_total'));
    assert.equal(relayed, 10);
  });

  it('delivers and relays what the log may or may not have taken', async () => {
    await begin({ logDeadlineMs: 2_000 });
    world.logFaults.hangAppends();
    const sent = im.send('ann', 'cleo', 'maybe');
    await world.clock.advance(2_000);
    const answer = await sent;
    world.logFaults.heal();
    await world.clock.advance(5_000);
    const ids = (await world.archived()).map(r => r.recordId);
    assert.deepEqual(new Set(ids), new Set([answer.eventId]));
    assert.ok(ids.length >= 2);
  });

  it('does not wait for a log that keeps failing', async () => {
    await begin({ breakerFailures: 2, logDeadlineMs: 2_000 });
    world.logFaults.hangAppends();
    const sends = [im.send('ann', 'cleo', '1'), im.send('ann', 'cleo', '2')];
    await world.clock.advance(2_000);
    await Promise.all(sends);
    await im.send('ann', 'cleo', 'at once');
    assert.equal(await im.metric('parley_im_archive_breaker_open'), 1);
  });

  it('refuses a critical message when the log fails, and delivers it to nobody, ever', async () => {
    await begin({ keyVisibleMs: 1_000, reconcileMarginMs: 500, cursorLagMs: 3_000, logDeadlineMs: 2_000 });
    await archiver();
    const refusal = code('im.archive_unavailable', { kind: 'unavailable' });
    world.logFaults.refuseAppends();
    await assert.rejects(im.send('ann', 'dora', 'refused'), refusal);
    world.logFaults.heal();
    world.logFaults.hangAppends();
    const messageId = world.uuid(900);
    const sent = assert.rejects(im.send('ann', 'dora', 'unknown', { messageId }), refusal);
    await world.clock.advance(2_000);
    await sent;
    world.logFaults.heal();
    await world.clock.advance(10_000);
    assert.deepEqual((await im.sync('dora')).events, []);
    assert.deepEqual((await im.sync('ann')).events, []);
    assert.equal(world.published.length, 0);
    assert.deepEqual(
      (await world.archived()).map(r => r.kind),
      [ArchiveRecordKind.IM_EVENT, ArchiveRecordKind.NOT_ACCEPTED],
    );

    const again = await im.send('ann', 'dora', 'unknown', { messageId, attempt: 1 });
    assert.equal(again.replayed, false);
    assert.equal((await im.sync('dora')).events.length, 1);
    assert.equal((await world.archived()).at(-1)?.kind, ArchiveRecordKind.IM_EVENT);
  });

  it('does not claim that a critical message was refused when it cannot keep that promise', async () => {
    await begin({ logDeadlineMs: 2_000 });
    await archiver();
    const { notApplied } = await import('./testing/faulty-store.ts');
    im.faults.insertRefusal = notApplied;
    world.logFaults.hangAppends();
    const sent = assert.rejects(im.send('ann', 'dora', 'x'), code('im.outcome_unknown'));
    await world.clock.advance(2_000);
    await sent;
    world.logFaults.heal();
  });

  it('refuses critical messages at once while archiving stands still, and takes them again when it moves', async () => {
    await begin({ maxArchiveStallMs: 60_000, lagCheckMs: 600 });
    await im.send('ann', 'dora', 'before');
    await world.clock.advance(62_000);
    await assert.rejects(im.send('ann', 'dora', 'stalled'), code('im.archive_unavailable'));
    await im.send('ann', 'cleo', 'not critical');
    await archiver();
    await world.clock.advance(1_200);
    await im.send('ann', 'dora', 'after');
    assert.deepEqual(
      (await im.sync('dora')).events.map(e => e.content?.text),
      ['before', 'after'],
    );
  });
});
