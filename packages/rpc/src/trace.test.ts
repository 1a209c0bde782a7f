import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  childTraceparent,
  extractTrace,
  formatTraceparent,
  injectTrace,
  newTraceparent,
  parseTraceparent,
  startSpan,
  withSpan,
} from './trace.ts';

const valid = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('a traceparent', () => {
  it('is read and written as the W3C says', () => {
    const parsed = parseTraceparent(valid);
    assert.deepEqual(parsed, {
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanId: '00f067aa0ba902b7',
      sampled: true,
    });
    assert.equal(formatTraceparent(parsed), valid);
    assert.equal(parseTraceparent(valid.replace(/01$/, '00'))?.sampled, false);
  });

  it('of a later version is read as far as it is known', () => {
    assert.equal(parseTraceparent(`${valid.replace(/^00/, 'cc')}-more`)?.sampled, true);
  });

  for (const [what, header] of [
    ['missing', undefined],
    ['empty', ''],
    ['of version ff', valid.replace(/^00/, 'ff')],
    ['in capitals', valid.toUpperCase()],
    ['with an empty trace id', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['with an empty span id', `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`],
    ['too long for its version', `${valid}-more`],
    ['endless', `cc${valid.slice(2)}-${'x'.repeat(500)}`],
  ] as const) {
    it(`is ignored when ${what}`, () => {
      assert.equal(parseTraceparent(header), undefined);
      assert.equal(extractTrace({ traceparent: header }), undefined);
    });
  }

  it('of our own is new each time and valid', () => {
    const made = new Set(Array.from({ length: 1000 }, () => newTraceparent()));
    assert.equal(made.size, 1000);
    for (const header of made) assert.equal(parseTraceparent(header)?.sampled, false);
    assert.equal(parseTraceparent(newTraceparent(true))?.sampled, true);
  });

  it('of a child keeps the trace and has a span of its own', () => {
    const child = parseTraceparent(childTraceparent(valid));
    assert.equal(child?.traceId, '4bf92f3577b34da6a3ce929d0e0e4736');
    assert.notEqual(child?.spanId, '00f067aa0ba902b7');
    assert.equal(child?.sampled, true);
    assert.ok(parseTraceparent(childTraceparent('nonsense')));
  });

  it('travels in headers', () => {
    assert.deepEqual(injectTrace({ a: 'b' }, valid), { a: 'b', traceparent: valid });
    assert.deepEqual(injectTrace({}, undefined), {});
    assert.equal(extractTrace({ traceparent: valid }), valid);
    assert.equal(extractTrace(undefined), undefined);
  });
});

describe('a span', () => {
  it('without a tracer records nothing and passes the trace on as it came', async () => {
    const started = startSpan('x', valid);
    assert.equal(started.traceparent, valid);
    assert.equal(started.span.isRecording(), false);
    assert.equal(await withSpan('x', valid, async header => header), valid);
    await assert.rejects(
      withSpan('x', undefined, () => Promise.reject(new Error('no'))),
      /no/,
    );
  });
});
