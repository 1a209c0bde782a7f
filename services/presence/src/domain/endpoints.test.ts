import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  closeEndpoint,
  losePod,
  lostPods,
  type Opening,
  openEndpoint,
  regainPods,
  reportActivity,
} from './endpoints.ts';
import { newPerson, type PersonDoc, type Timing } from './person.ts';

const T: Timing = { inactiveAfterMs: 300_000, awayAfterMs: 600_000, graceMs: 60_000 };
const opening = (n: number, over: Partial<Opening> = {}): Opening => ({
  id: `device-${n}`,
  connectionId: `c${n}`,
  sessionId: `s${n}`,
  pod: 'pod-1',
  device: 'computer',
  machine: 'active',
  ...over,
});
function opened(doc: PersonDoc, o: Opening, now = 1000, limit = 8) {
  const result = openEndpoint(doc, o, now, limit);
  assert.ok(!('refused' in result), 'refused');
  return result;
}
const withDevices = (n: number): PersonDoc =>
  Array.from({ length: n }, (_, i) => i).reduce((doc, i) => opened(doc, opening(i)).doc, newPerson('p'));

describe('opening an endpoint', () => {
  it('adds a device, and takes over the same device from another session', () => {
    const first = opened(newPerson('p'), opening(1));
    assert.deepEqual([first.kind, first.replacedSessionId], ['new', '']);
    const again = opened(first.doc, opening(1, { connectionId: 'c9', sessionId: 's9' }), 2000);
    assert.deepEqual([again.kind, again.replacedSessionId], ['takeover', 's1']);
    assert.deepEqual(
      again.doc.endpoints.map(e => [e.id, e.connectionId, e.connectedAt]),
      [['device-1', 'c9', 2000]],
    );
  });

  it('changes nothing when it is repeated', () => {
    const first = opened(newPerson('p'), opening(1));
    const again = opened(first.doc, opening(1), 5000);
    assert.equal(again.kind, 'replay');
    assert.equal(again.doc, first.doc);
  });

  it('names no session to be told when that has closed itself', () => {
    const closed = closeEndpoint(withDevices(1), { id: 'device-0', connectionId: 'c0', signedOut: false }, 2000).doc;
    assert.equal(opened(closed, opening(0, { connectionId: 'n', sessionId: 'n' }), 3000).replacedSessionId, '');
    const lost = losePod(withDevices(1), 'pod-1', 2000);
    assert.equal(opened(lost, opening(0, { connectionId: 'n', sessionId: 'n' }), 3000).replacedSessionId, 's0');
  });

  it('is refused for a ninth device, but not for a device that is there', () => {
    const full = withDevices(8);
    assert.deepEqual(openEndpoint(full, opening(8), 1000, 8), { refused: 'too_many_endpoints' });
    assert.equal(opened(full, opening(3, { connectionId: 'n' })).kind, 'takeover');
    assert.deepEqual(openEndpoint(withDevices(1), opening(1), 1000, 1), { refused: 'too_many_endpoints' });
  });

  it('takes the place of the device that has been waiting longest for its grace to end', () => {
    let doc = withDevices(8);
    doc = closeEndpoint(doc, { id: 'device-5', connectionId: 'c5', signedOut: false }, 2000).doc;
    doc = closeEndpoint(doc, { id: 'device-2', connectionId: 'c2', signedOut: false }, 3000).doc;
    const ids = opened(doc, opening(8), 4000).doc.endpoints.map(e => e.id);
    assert.equal(ids.length, 8);
    assert.ok(!ids.includes('device-5'));
    assert.ok(ids.includes('device-2'));
  });
});

describe('a report of activity', () => {
  const doc = withDevices(1);
  const report = (d: PersonDoc, machine: 'active' | 'inactive' | 'away', now: number, connectionId = 'c0') =>
    reportActivity(d, { id: 'device-0', connectionId, machine }, now, T);

  it('is noted when it says something new', () => {
    const inactive = report(doc, 'inactive', 2000);
    assert.equal(inactive.applied, true);
    assert.deepEqual([inactive.doc.endpoints[0]?.machine, inactive.doc.endpoints[0]?.reportedAt], ['inactive', 2000]);
    assert.equal(report(inactive.doc, 'inactive', 90_000).doc, inactive.doc, 'idling goes on from its first report');
    assert.equal(report(inactive.doc, 'active', 90_000).doc.endpoints[0]?.machine, 'active');
  });

  it('of continued use is noted again after a tenth of the time it takes to become inactive', () => {
    assert.equal(report(doc, 'active', 1000 + 29_999).doc, doc);
    assert.equal(report(doc, 'active', 1000 + 30_000).doc.endpoints[0]?.reportedAt, 31_000);
  });

  it('is ignored from a connection that no longer holds the endpoint', () => {
    assert.deepEqual(report(doc, 'away', 2000, 'other'), { doc, applied: false });
    const closed = closeEndpoint(doc, { id: 'device-0', connectionId: 'c0', signedOut: false }, 2000).doc;
    assert.deepEqual(report(closed, 'active', 3000), { doc: closed, applied: false });
    assert.equal(reportActivity(doc, { id: 'device-7', connectionId: 'c0', machine: 'away' }, 1, T).applied, false);
  });

  it('brings back an endpoint that was lost with its pod', () => {
    const lost = losePod(doc, 'pod-1', 2000);
    const back = report(lost, 'active', 3000);
    assert.equal(back.applied, true);
    assert.equal(back.doc.endpoints[0]?.goneAt, undefined);
    assert.equal(back.doc.endpoints[0]?.lost, undefined);
  });
});

describe('closing an endpoint', () => {
  it('keeps it for the grace, or removes it at once when its person signed out', () => {
    const doc = withDevices(2);
    const cut = closeEndpoint(doc, { id: 'device-0', connectionId: 'c0', signedOut: false }, 2000);
    assert.deepEqual(
      cut.doc.endpoints.map(e => e.goneAt),
      [2000, undefined],
    );
    const out = closeEndpoint(cut.doc, { id: 'device-0', connectionId: 'c0', signedOut: true }, 3000);
    assert.deepEqual(
      out.doc.endpoints.map(e => e.id),
      ['device-1'],
    );
    const again = closeEndpoint(cut.doc, { id: 'device-0', connectionId: 'c0', signedOut: false }, 9000);
    assert.equal(again.doc, cut.doc);
    assert.equal(again.applied, true);
  });

  it('does nothing for a connection that no longer holds it', () => {
    const doc = withDevices(1);
    assert.deepEqual(closeEndpoint(doc, { id: 'device-0', connectionId: 'x', signedOut: true }, 1), {
      doc,
      applied: false,
    });
  });
});

describe('losing a pod', () => {
  it('starts the grace of its endpoints when its lease ended, and nobody else’s', () => {
    const doc = opened(withDevices(1), opening(1, { pod: 'pod-2' })).doc;
    const lost = losePod(doc, 'pod-1', 5000);
    assert.deepEqual(
      lost.endpoints.map(e => [e.goneAt, e.lost]),
      [
        [5000, 'lease'],
        [undefined, undefined],
      ],
    );
    assert.equal(losePod(lost, 'pod-1', 9000), lost);
    assert.deepEqual(lostPods(lost), ['pod-1']);
    assert.deepEqual(lostPods(doc), []);
  });

  it('gives an endpoint opened after the end of the lease its whole grace', () => {
    assert.equal(losePod(opened(newPerson('p'), opening(1), 8000).doc, 'pod-1', 5000).endpoints[0]?.goneAt, 8000);
  });

  it('is undone when the pod lives, except for connections that were closed', () => {
    let doc = losePod(withDevices(2), 'pod-1', 5000);
    doc = closeEndpoint(doc, { id: 'device-1', connectionId: 'c1', signedOut: false }, 6000).doc;
    const back = regainPods(doc, new Set(['pod-1']));
    assert.deepEqual(
      back.endpoints.map(e => e.goneAt),
      [undefined, 5000],
    );
    assert.equal(regainPods(doc, new Set(['pod-2'])), doc);
  });
});
