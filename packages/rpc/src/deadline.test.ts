import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '@parley/testkit';
import { formatGrpcTimeout, parseGrpcTimeout, withDeadline } from './deadline.ts';
import type { ParleyError } from './errors.ts';

const code = (expected: string) => (error: ParleyError) => error.code === expected;

describe('work with a deadline', () => {
  it('gives its result and leaves no timer', async () => {
    const clock = new ManualClock();
    assert.equal(await withDeadline(async () => 5, { clock, timeoutMs: 100 }), 5);
    assert.equal(clock.pending, 0);
  });

  it('fails as it fails', async () => {
    const clock = new ManualClock();
    await assert.rejects(
      withDeadline(() => Promise.reject(new Error('x')), { clock, timeoutMs: 100 }),
      /x/,
    );
    assert.equal(clock.pending, 0);
  });

  it('ends at the deadline even when it does not listen, and is told', async () => {
    const clock = new ManualClock();
    let signal: AbortSignal | undefined;
    const work = withDeadline(
      given => {
        signal = given;
        return new Promise<void>(() => {});
      },
      { clock, timeoutMs: 100 },
    );
    const refused = assert.rejects(work, code('rpc.deadline_exceeded'));
    await clock.advance(99);
    assert.equal(signal?.aborted, false);
    await clock.advance(1);
    await refused;
    assert.equal(signal?.aborted, true);
  });

  it('ends when somebody else ends it', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const options = { clock, timeoutMs: 100, signal: controller.signal };
    const work = assert.rejects(
      withDeadline(() => new Promise<void>(() => {}), options),
      /stop/,
    );
    controller.abort(new Error('stop'));
    await work;
    assert.equal(clock.pending, 0);
    await assert.rejects(
      withDeadline(async () => assert.fail('never'), options),
      /stop/,
    );
  });
});

describe('the grpc-timeout header', () => {
  it('is read in all its units', () => {
    const read = ['1H', '2M', '3S', '4m', '5000u', '6000000n', '99999999m'].map(parseGrpcTimeout);
    assert.deepEqual(read, [3_600_000, 120_000, 3000, 4, 5, 6, 99_999_999]);
  });

  it('is written so that it can be read', () => {
    for (const ms of [0, 1, 10_000, 99_999_999, 3_600_000_000]) {
      const back = parseGrpcTimeout(formatGrpcTimeout(ms));
      assert.ok(back >= ms && back <= ms + 1000, String(ms));
    }
  });

  it('is refused when it is something else', () => {
    for (const text of ['', 'm', '1', '1s', '-1m', '1.5S', '123456789m', ' 1m', '1m ']) {
      assert.throws(() => parseGrpcTimeout(text), code('rpc.invalid_deadline'), text);
    }
  });
});
