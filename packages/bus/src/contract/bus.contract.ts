import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Bus, BusMessage } from '../bus.ts';
import { MAX_MESSAGE_BYTES } from '../message.ts';

/** What the suite needs of an adapter. */
export interface BusFixture {
  /** Two connections to the same bus; for the memory bus, the same object twice. */
  readonly near: Bus;
  readonly far: Bus;
  /** Prefix that no other test uses. */
  readonly prefix: string;
  close(): Promise<void>;
}

const text = (value: string) => Buffer.from(value);
const read = (message: BusMessage) => Buffer.from(message.data).toString();

/** What every bus keeps. `open` is called for each test. */
export function busContract(name: string, open: () => Promise<BusFixture>): void {
  const check = (title: string, body: (fixture: BusFixture) => Promise<void>) =>
    it(title, async () => {
      const fixture = await open();
      try {
        await body(fixture);
      } finally {
        await fixture.close();
      }
    });
  /** Everything published by `near` so far has been handled by `far`. */
  const settle = async ({ near, far, prefix }: BusFixture) => {
    const marker = `${prefix}-settled.${Math.random().toString(36).slice(2)}`;
    const seen = Promise.withResolvers<void>();
    const subscription = far.subscribe(marker, () => seen.resolve());
    await far.flush();
    near.publish(marker, new Uint8Array());
    await near.flush();
    await seen.promise;
    subscription.unsubscribe();
  };
  const collect = async (fixture: BusFixture, pattern: string) => {
    const messages: BusMessage[] = [];
    fixture.far.subscribe(pattern, message => void messages.push(message));
    await fixture.far.flush();
    return messages;
  };

  describe(`${name}: bus contract`, () => {
    check('an exact subscription gets its subject and no other', async fixture => {
      const { near, prefix } = fixture;
      const messages = await collect(fixture, `${prefix}.a`);
      near.publish(`${prefix}.a`, text('1'));
      near.publish(`${prefix}.b`, text('2'));
      near.publish(`${prefix}.a.b`, text('3'));
      near.publish(prefix, text('4'));
      await settle(fixture);
      assert.deepEqual(
        messages.map(m => [m.subject, read(m)]),
        [[`${prefix}.a`, '1']],
      );
    });

    check('a star stands for exactly one token', async fixture => {
      const { near, prefix } = fixture;
      const messages = await collect(fixture, `${prefix}.*.x`);
      for (const tail of ['a.x', 'b.x', 'a.y', 'x', 'a.b.x']) near.publish(`${prefix}.${tail}`, text(tail));
      await settle(fixture);
      assert.deepEqual(messages.map(read), ['a.x', 'b.x']);
    });

    check('a final > stands for one token or more', async fixture => {
      const { near, prefix } = fixture;
      const messages = await collect(fixture, `${prefix}.a.>`);
      for (const tail of ['a', 'a.b', 'a.b.c.d', 'b.a']) near.publish(`${prefix}.${tail}`, text(tail));
      await settle(fixture);
      assert.deepEqual(messages.map(read), ['a.b', 'a.b.c.d']);
    });

    check('each of several matching subscriptions gets the message once', async fixture => {
      const { near, prefix } = fixture;
      const boxes = await Promise.all(
        [`${prefix}.a.b`, `${prefix}.a.b`, `${prefix}.*.b`, `${prefix}.a.*`, `${prefix}.>`].map(p =>
          collect(fixture, p),
        ),
      );
      near.publish(`${prefix}.a.b`, text('x'));
      await settle(fixture);
      assert.deepEqual(
        boxes.map(box => box.length),
        [1, 1, 1, 1, 1],
      );
    });

    check('messages of one subject arrive in the order they were published', async fixture => {
      const { near, prefix } = fixture;
      const messages = await collect(fixture, `${prefix}.*`);
      for (let i = 0; i < 1000; i++) near.publish(`${prefix}.s${i % 3}`, text(String(i)));
      await settle(fixture);
      for (const s of [0, 1, 2]) {
        const got = messages.filter(m => m.subject.endsWith(`s${s}`)).map(m => Number(read(m)));
        assert.deepEqual(
          got,
          Array.from({ length: 1000 }, (_, i) => i).filter(i => i % 3 === s),
        );
      }
    });

    check('a message published by a handler comes after the one being handled, for everybody', async fixture => {
      const { far, near, prefix } = fixture;
      far.subscribe(`${prefix}.a`, m => {
        if (read(m) === '1') far.publish(`${prefix}.a`, text('2'));
      });
      const messages = await collect(fixture, `${prefix}.a`);
      near.publish(`${prefix}.a`, text('1'));
      await settle(fixture);
      await far.flush();
      await settle(fixture);
      assert.deepEqual(messages.map(read), ['1', '2']);
    });

    check('the members of a queue group share the messages', async fixture => {
      const { near, far, prefix } = fixture;
      const counts = [0, 0, 0, 0];
      const member = (bus: Bus, i: number, queue: string) =>
        bus.subscribe(`${prefix}.q`, () => void counts[i]!++, { queue });
      member(near, 0, 'g');
      member(far, 1, 'g');
      member(far, 2, 'g');
      member(far, 3, 'other');
      const all = await collect(fixture, `${prefix}.q`);
      await near.flush();
      for (let i = 0; i < 300; i++) near.publish(`${prefix}.q`, text(String(i)));
      await settle(fixture);
      await settle({ ...fixture, near: far, far: near });
      assert.equal(counts[0]! + counts[1]! + counts[2]!, 300);
      assert.equal(counts[3], 300, 'a group of one gets everything');
      assert.equal(all.length, 300, 'who is in no group gets everything');
      assert.ok(
        counts.every(n => n > 0),
        `everybody gets a share: ${counts}`,
      );
    });

    check('nothing arrives after unsubscribe, and the other subscription of the pattern lives on', async fixture => {
      const { near, far, prefix } = fixture;
      const gone: string[] = [];
      const first = far.subscribe(`${prefix}.a`, m => void gone.push(read(m)));
      const stays = await collect(fixture, `${prefix}.a`);
      near.publish(`${prefix}.a`, text('1'));
      await settle(fixture);
      first.unsubscribe();
      first.unsubscribe();
      await far.flush();
      near.publish(`${prefix}.a`, text('2'));
      await settle(fixture);
      assert.deepEqual(gone, ['1']);
      assert.deepEqual(stays.map(read), ['1', '2']);
    });

    check('a handler that unsubscribes itself gets no second message', async fixture => {
      const { near, far, prefix } = fixture;
      const got: string[] = [];
      const once = far.subscribe(`${prefix}.a`, m => {
        got.push(read(m));
        once.unsubscribe();
      });
      await far.flush();
      near.publish(`${prefix}.a`, text('1'));
      near.publish(`${prefix}.a`, text('2'));
      await settle(fixture);
      assert.deepEqual(got, ['1']);
    });

    check('after flush, another connection sees subscriptions and messages', async ({ near, far, prefix }) => {
      const seen = Promise.withResolvers<string>();
      far.subscribe(`${prefix}.a`, m => seen.resolve(read(m)));
      await far.flush();
      near.publish(`${prefix}.a`, text('there'));
      await near.flush();
      assert.equal(await seen.promise, 'there');
    });

    check('headers arrive as they were given', async fixture => {
      const { near, prefix } = fixture;
      const messages = await collect(fixture, `${prefix}.a`);
      const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'X-Two': 'a: b, c' };
      near.publish(`${prefix}.a`, text('with'), headers);
      near.publish(`${prefix}.a`, text('without'));
      await settle(fixture);
      assert.deepEqual({ ...messages[0]?.headers }, headers);
      assert.equal(messages[1]?.headers, undefined);
    });

    check('any bytes arrive unchanged, also none and 1 MiB of them', async fixture => {
      const { near, prefix } = fixture;
      const messages = await collect(fixture, `${prefix}.a`);
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      const big = new Uint8Array(MAX_MESSAGE_BYTES).fill(13);
      for (const data of [all, new Uint8Array(), big]) near.publish(`${prefix}.a`, data);
      await settle(fixture);
      assert.deepEqual(
        messages.map(m => Buffer.from(m.data).equals([all, new Uint8Array(), big][messages.indexOf(m)]!)),
        [true, true, true],
      );
    });

    check('more than 1 MiB, headers included, is refused and nothing is sent', async fixture => {
      const { near, prefix } = fixture;
      const messages = await collect(fixture, `${prefix}.a`);
      const big = new Uint8Array(MAX_MESSAGE_BYTES);
      assert.throws(() => near.publish(`${prefix}.a`, new Uint8Array(MAX_MESSAGE_BYTES + 1)), RangeError);
      assert.throws(() => near.publish(`${prefix}.a`, big, { a: 'b' }), RangeError);
      await settle(fixture);
      assert.equal(messages.length, 0);
      assert.equal(near.connected, true);
    });

    check('a handler that throws stops neither the others nor itself', async fixture => {
      const { near, far, prefix } = fixture;
      let thrown = 0;
      far.subscribe(`${prefix}.a`, () => {
        thrown++;
        throw new Error('on purpose');
      });
      const messages = await collect(fixture, `${prefix}.a`);
      near.publish(`${prefix}.a`, text('1'));
      near.publish(`${prefix}.a`, text('2'));
      await settle(fixture);
      assert.deepEqual(messages.map(read), ['1', '2']);
      assert.equal(thrown, 2);
    });

    check('unsafe subjects, patterns, queue groups and headers are refused', async ({ near, prefix }) => {
      for (const bad of [
        '',
        '.',
        'a.',
        '.a',
        'a..b',
        'a b',
        'a.*',
        'a.>',
        '*',
        '>',
        'a\r\nPUB x',
        'ä',
        `${prefix}.a\n`,
      ]) {
        assert.throws(() => near.publish(bad, text('x')), RangeError, JSON.stringify(bad));
      }
      for (const bad of ['', 'a.', 'a..b', 'a b', 'a*', '*a', 'a.>.b', '>.a', 'a>', 'a.b>', 'a\r\nSUB >']) {
        assert.throws(() => near.subscribe(bad, () => {}), RangeError, JSON.stringify(bad));
      }
      assert.throws(() => near.subscribe(`${prefix}.a`, () => {}, { queue: 'a b' }), RangeError);
      for (const headers of [{ 'a b': 'x' }, { a: 'x\r\ny: z' }, { '': 'x' }, { 'a:': 'x' }, { a: 'ä' }] as Record<
        string,
        string
      >[]) {
        assert.throws(() => near.publish(`${prefix}.a`, text('x'), headers), RangeError, JSON.stringify(headers));
      }
    });

    check(
      'close delivers what was published; afterwards publishing is harmless and the rest refused',
      async fixture => {
        const { near, far, prefix } = fixture;
        const messages = await collect(fixture, `${prefix}.a`);
        if (near === far) {
          near.publish(`${prefix}.a`, text('1'));
          await near.close();
        } else {
          near.publish(`${prefix}.a`, text('1'));
          await near.close();
          await settle({ ...fixture, near: far });
        }
        assert.deepEqual(messages.map(read), ['1']);
        assert.equal(near.connected, false);
        near.publish(`${prefix}.a`, text('2'));
        assert.throws(() => near.subscribe(`${prefix}.a`, () => {}), /closed/);
        await assert.rejects(near.flush(), /closed/);
        await near.close();
      },
    );
  });
}
