import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Evidence, formatReport, type Report, reconcile, type Sent } from './ledger.ts';

const message = (number: number, rest: Partial<Sent> = {}): Sent => ({
  id: `anna.${number}`,
  conversation: 'c',
  author: 'Anna',
  number,
  lane: 'archived',
  sentMs: 0,
  outcome: 'acknowledged',
  key: `k${number}`,
  settledMs: 10,
  ...rest,
});
const got = (...numbers: number[]) => numbers.map(n => ({ id: `anna.${n}`, key: `k${n}`, atMs: 15 }));
const kept = (...numbers: number[]) =>
  new Map(numbers.map(n => [`anna.${n}`, { times: 1, denied: false, deniedLast: false }]));
const inbox = (device: string, ...numbers: number[]) => ({ device, conversation: 'c', got: got(...numbers) });

const good = {
  sent: [message(0), message(1)],
  inboxes: [inbox('one', 0, 1), inbox('two', 1, 0)],
  kept: kept(0, 1),
  flaps: [],
  findings: [],
} satisfies Evidence;

function problem(evidence: Partial<Evidence>): Pick<Report, 'problems'> & Record<string, unknown> {
  const report = reconcile({ ...good, ...evidence });
  assert.ok(formatReport(report).includes(report.problems[0] ?? '?'), 'a problem was found and is shown');
  return { ...report };
}

describe('the reconciliation of traffic', () => {
  it('finds nothing when everything acknowledged is everywhere once, in order and archived', () => {
    const report = reconcile(good);
    assert.deepEqual(report.problems, []);
    assert.deepEqual(
      [report.sent, report.acknowledged, report.delivered, report.archived, report.devices],
      [2, 2, 4, 2, 2],
    );
    assert.deepEqual([report.acknowledgeMs.max, report.deliverMs.max], [10, 5]);
  });

  it('finds what is missing at one device', () => {
    assert.equal(problem({ inboxes: [inbox('one', 0, 1), inbox('two', 0)] }).lost, 1);
  });

  it('finds a repetition, what nobody sent, and what belongs to others', () => {
    assert.equal(problem({ inboxes: [inbox('one', 0, 1, 1)] }).duplicates, 1);
    assert.equal(problem({ inboxes: [inbox('one', 0, 1, 2)] }).ghosts, 1);
    assert.equal(problem({ inboxes: [inbox('one', 0, 1), { ...inbox('two', 0), conversation: 'd' }] }).ghosts, 1);
  });

  it('finds what was refused and came all the same, or was archived', () => {
    const refused = message(2, { outcome: 'refused', lane: 'critical', code: 'im.archive_unavailable' });
    const sent = [...good.sent, refused];
    assert.deepEqual(reconcile({ ...good, sent }).problems, []);
    assert.equal(problem({ sent, inboxes: [inbox('one', 0, 1, 2)] }).ghosts, 1);
    assert.equal(problem({ sent, kept: kept(0, 1, 2) }).archivedWrongly, 1);
    const denied = { times: 1, denied: true, deniedLast: true };
    assert.deepEqual(reconcile({ ...good, sent, kept: new Map([...good.kept, [refused.id, denied]]) }).problems, []);
    assert.equal(problem({ kept: new Map([...good.kept, ['anna.1', denied]]) }).archivedWrongly, 1);
  });

  it('finds in the history what clients would not show twice, keys that do not rise, and what is missing', () => {
    const history = (...numbers: number[]) => ({ histories: [inbox('the history', ...numbers)] });
    const report = reconcile({ ...good, ...history(0, 1) });
    assert.deepEqual([report.problems, report.delivered, report.devices], [[], 4, 2]);
    assert.equal(problem(history(0, 1, 1)).duplicates, 1);
    assert.equal(problem(history(1, 0)).outOfOrder, 1);
    assert.equal(problem(history(0)).lost, 1);
    const refused = message(2, { outcome: 'refused', lane: 'critical', code: 'im.archive_unavailable' });
    assert.equal(problem({ sent: [...good.sent, refused], ...history(0, 1, 2) }).ghosts, 1);
    const unknown = message(2, { outcome: 'unknown' });
    assert.equal(problem({ sent: [...good.sent, unknown], kept: kept(0, 1, 2), ...history(0, 1, 2) }).lost, 1);
  });

  it('finds refusals that nothing explains', () => {
    const refused = message(2, { outcome: 'refused', code: 'rpc.internal' });
    assert.equal(problem({ sent: [...good.sent, refused] }).refusedWrongly, 1);
  });

  it('finds messages of one author in another order than he wrote them, and keys that differ', () => {
    const sent = [message(0, { key: 'k9' }), message(1)];
    const swapped = [{ id: 'anna.0', key: 'k9', atMs: 0 }, ...got(1)];
    assert.equal(problem({ sent, inboxes: [{ ...inbox('one'), got: swapped }] }).outOfOrder, 1);
    assert.equal(problem({ inboxes: [{ ...inbox('one'), got: swapped }] }).otherKey, 1);
  });

  it('finds what is not archived, twice, or although nobody asked for it', () => {
    assert.equal(problem({ kept: kept(0) }).unarchived, 1);
    assert.equal(
      problem({ kept: new Map([...good.kept, ['anna.0', { times: 2, denied: false, deniedLast: false }]]) })
        .archivedWrongly,
      1,
    );
    assert.equal(problem({ sent: [message(0), message(1, { lane: 'none' })] }).archivedWrongly, 1);
  });

  it('lets a message of unknown outcome reach everybody or nobody', () => {
    const unknown = message(2, { outcome: 'unknown' });
    const sent = [...good.sent, unknown];
    const all = kept(0, 1, 2);
    assert.deepEqual(reconcile({ ...good, sent }).problems, []);
    assert.deepEqual(
      reconcile({ ...good, sent, kept: all, inboxes: [inbox('one', 0, 1, 2), inbox('two', 0, 1, 2)] }).problems,
      [],
    );
    assert.equal(problem({ sent, kept: all, inboxes: [inbox('one', 0, 1, 2), inbox('two', 0, 1)] }).lost, 1);
  });

  it('does not look, in the middle of it, for what has no answer yet or only got it just now, nor into the archive', () => {
    const fresh = [message(2, { outcome: 'waiting' }), message(3, { settledMs: 90 })];
    const interim = { ...good, sent: [...good.sent, ...fresh], kept: undefined, asOfMs: 50 };
    assert.deepEqual(reconcile(interim).problems, []);
    assert.equal(problem({ ...interim, inboxes: [inbox('one', 0)] }).lost, 1);
  });

  it('counts messages without any answer, presence that flapped and what the archive verification found', () => {
    assert.equal(problem({ sent: [...good.sent, message(2, { outcome: 'waiting' })] }).lost, 1);
    assert.equal(problem({ flaps: ['Anna saw Bert offline'] }).presenceFlaps, 1);
    assert.equal(problem({ findings: ['a hash'] }).archiveFindings, 1);
  });
});
