import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createMetrics, type Logger, systemClock } from '@parley/runtime';
import { type Backends, startBackends } from '@parley/test-backends';
import { busContract } from '../src/contract/bus.contract.ts';
import { type Bus, type ContinuityBreak, connectNatsBus, nkeyOf } from '../src/index.ts';

const url = process.env['PARLEY_TEST_NATS_URL'];

const dial = (server: string, more: Partial<Parameters<typeof connectNatsBus>[0]> = {}) =>
  connectNatsBus({ servers: [server], name: 'test', clock: systemClock, reconnectMaxMs: 200, ...more });

if (url === undefined) {
  it('NATS: not run, because PARLEY_TEST_NATS_URL is not set', { skip: true }, () => {});
} else {
  busContract('NATS', async () => {
    const [near, far] = await Promise.all([dial(url), dial(url)]);
    return {
      near,
      far,
      prefix: randomUUID(),
      close: async () => void (await Promise.all([near.close(), far.close()])),
    };
  });

  describe('NATS, one connection', () => {
    it('serves every handler of a pattern, and only those that are left', async () => {
      const bus = await dial(url);
      const other = await dial(url);
      const pattern = `${randomUUID()}.a`;
      let got = 0;
      const subscriptions = Array.from({ length: 50 }, () => bus.subscribe(pattern, () => void got++));
      await bus.flush();
      other.publish(pattern, Buffer.from('x'));
      await other.flush();
      await bus.flush();
      assert.equal(got, 50);
      for (const subscription of subscriptions.slice(1)) subscription.unsubscribe();
      await bus.flush();
      other.publish(pattern, Buffer.from('x'));
      await other.flush();
      await bus.flush();
      assert.equal(got, 51);
      await Promise.all([bus.close(), other.close()]);
    });

    it('does not hold a whole network read for a small message that is kept', async () => {
      const bus = await dial(url);
      const subject = `${randomUUID()}.a`;
      const kept: Uint8Array[] = [];
      bus.subscribe(subject, m => void kept.push(m.data));
      await bus.flush();
      for (let i = 0; i < 100; i++) bus.publish(subject, Buffer.alloc(20));
      await bus.flush();
      assert.equal(kept.length, 100);
      assert.ok(kept.every(data => data.buffer.byteLength <= 64));
      await bus.close();
    });
  });

  describe('NATS, a server of its own', () => {
    let backends: Backends;
    let dir: string;
    before(async () => {
      dir = mkdtempSync(join(tmpdir(), 'parley-nats-'));
      backends = await startBackends({ nats: true });
    });
    after(async () => {
      await backends?.stop();
      rmSync(dir, { recursive: true, force: true });
    });
    const own = () => backends.nats?.url ?? '';
    const event = (bus: Bus, kind: ContinuityBreak['kind']) =>
      new Promise<void>(resolve => {
        const stop = bus.onContinuity(e => {
          if (e.kind !== kind) return;
          stop();
          resolve();
        });
      });

    it('tells a restart of the server, loses publishes meanwhile, and every subscription stands again', async () => {
      const metrics = createMetrics({ defaults: false });
      const [bus, other] = await Promise.all([dial(own(), { metrics }), dial(own())]);
      const kinds: string[] = [];
      bus.onContinuity(e => void kinds.push(e.kind));
      const got: string[] = [];
      bus.subscribe('a.*', m => void got.push(Buffer.from(m.data).toString()));
      bus.subscribe('q', m => void got.push(Buffer.from(m.data).toString()), { queue: 'g' });
      await bus.flush();

      const [down, up, otherUp] = [event(bus, 'disconnected'), event(bus, 'restored'), event(other, 'restored')];
      await backends.nats?.kill();
      await down;
      assert.equal(bus.connected, false);
      for (let i = 0; i < 1000; i++) bus.publish('a.b', Buffer.alloc(1000));
      bus.subscribe('late', m => void got.push(Buffer.from(m.data).toString()));
      const flushed = bus.flush();
      await backends.nats?.restart();
      await Promise.all([up, otherUp, flushed]);

      assert.equal(bus.connected, true);
      for (const subject of ['a.x', 'q', 'late']) other.publish(subject, Buffer.from(subject));
      await other.flush();
      await bus.flush();
      assert.deepEqual(got.sort(), ['a.x', 'late', 'q']);
      assert.deepEqual(kinds, ['disconnected', 'restored']);
      const text = await metrics.render();
      assert.match(text, /parley_bus_lost_total\{reason="disconnected"\} 1000/);
      assert.match(text, /parley_bus_breaks_total\{kind="disconnected"\} 1/);
      assert.match(text, /parley_bus_breaks_total\{kind="restored"\} 1/);
      await Promise.all([bus.close(), other.close()]);
    });

    it('comes back at once when the clock of its machine was set back meanwhile', { timeout: 30_000 }, async t => {
      const bus = await dial(own());
      const outage = async () => {
        const [down, up] = [event(bus, 'disconnected'), event(bus, 'restored')];
        await backends.nats?.kill();
        await down;
        await backends.nats?.restart();
        await up;
      };
      const now = Date.now.bind(Date);
      t.mock.method(Date, 'now', () => now() + 300_000);
      await outage();
      t.mock.restoreAll();
      // minutes, if anything of it went by that clock
      await outage();
      assert.equal(bus.connected, true);
      await bus.close();
    });

    it('gives up flushing after its limit while the server hangs', async () => {
      const bus = await dial(own(), { flushTimeoutMs: 200 });
      backends.nats?.pause();
      try {
        // an answer may have been under way when the server was stopped
        await bus.flush().catch(() => undefined);
        await assert.rejects(bus.flush(), /200 ms/);
      } finally {
        backends.nats?.resume();
      }
      await bus.flush();
      await bus.close();
    });

    it('waits for a server that is not there yet, and rejects when it takes too long', async () => {
      await backends.nats?.kill();
      await assert.rejects(dial(own(), { connectTimeoutMs: 300 }), /refused/);
      const coming = dial(own());
      await backends.nats?.restart();
      const bus = await coming;
      assert.equal(bus.connected, true);
      await bus.close();
    });

    it('speaks TLS to a server whose authority it knows, and to no other', async () => {
      const [cert, key, conf] = ['cert.pem', 'key.pem', 'tls.conf'].map(name => join(dir, name)) as [
        string,
        string,
        string,
      ];
      const subject = ['-subj', '/CN=nats.example', '-addext', 'subjectAltName=DNS:localhost'];
      const make = [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-keyout',
        key,
        '-out',
        cert,
        ...subject,
      ];
      execFileSync('openssl', make, { stdio: 'ignore' });
      writeFileSync(conf, `tls { cert_file: "${cert}", key_file: "${key}" }\n`);
      const guarded = await startBackends({ nats: { args: ['-c', conf] } });
      try {
        const server = guarded.nats?.url.replace('nats://127.0.0.1', 'tls://localhost') ?? '';
        const bus = await dial(server, { tls: { caFile: cert } });
        await bus.flush();
        await bus.close();
        await assert.rejects(dial(server, { tls: {}, connectTimeoutMs: 200 }), /self-signed/);
      } finally {
        await guarded.stop();
      }
    });

    it('tells what its user may not do, does the rest, and hears what it may hear as soon as it may', async () => {
      const conf = join(dir, 'rights.conf');
      const password = join(dir, 'password');
      writeFileSync(password, 'secret\n');
      const allow = (subscribe: string) =>
        writeFileSync(
          conf,
          `authorization { users: [
            { user: im, password: secret, permissions: { publish: { allow: ["im.*"] }, subscribe: { allow: [${subscribe}] } } }
            { user: all, password: secret }
          ] }\n`,
        );
      allow('"directory.changed.*"');
      const guarded = await startBackends({ nats: { args: ['-c', conf] } });
      try {
        const server = guarded.nats?.url ?? '';
        const metrics = createMetrics({ defaults: false });
        const lines: string[] = [];
        const say = (message: string, fields: unknown) => void lines.push(`${message} ${JSON.stringify(fields)}`);
        const logger: Logger = { debug: say, info: say, warn: say, error: say, child: () => logger };
        const all = await dial(server, { user: 'all', passwordFile: password });
        const im = await dial(server, { user: 'im', passwordFile: password, metrics, logger, deniedRetryMs: 50 });
        const heard: string[] = [];
        all.subscribe('>', ({ subject }) => void heard.push(subject));
        const got: string[] = [];
        im.subscribe('directory.changed.*', ({ subject }) => void got.push(subject));
        im.subscribe('presence.*.*', ({ subject }) => void got.push(subject));
        await all.flush();
        for (let i = 0; i < 3; i++) im.publish('presence.ann.friends', Buffer.from('forged'));
        im.publish('im.ann', Buffer.from('mine'));
        await im.flush();
        all.publish('presence.bob.friends', Buffer.from('x'));
        all.publish('directory.changed.bob', Buffer.from('x'));
        await all.flush();
        await im.flush();
        const denied = (operation: string) => `parley_bus_denied_total{operation="${operation}",subject="presence"}`;
        const until = async (line: RegExp) => {
          while (!line.test(await metrics.render())) await systemClock.sleep(10);
        };
        await until(/denied_total\{operation="publish",subject="presence"\} 3/);
        assert.ok((await metrics.render()).includes(denied('subscription')));
        assert.match(await metrics.render(), /parley_bus_lost_total\{reason="denied"\} 3/);
        assert.deepEqual(got, ['directory.changed.bob']);
        assert.ok(heard.includes('im.ann') && !heard.includes('presence.ann.friends'));
        const told = lines.filter(line => line.startsWith('bus.permission.denied'));
        assert.equal(told.length, 2, 'each kind is said at once, and then not for every message');

        allow('"directory.changed.*", "presence.*.*"');
        process.kill(guarded.nats?.pids()[0] as number, 'SIGHUP');
        while (!got.includes('presence.carl.friends')) {
          all.publish('presence.carl.friends', Buffer.from('x'));
          await systemClock.sleep(20);
        }
        await Promise.all([im.close(), all.close()]);
      } finally {
        await guarded.stop();
      }
    });

    it('signs in with the key of a user, and is refused with another one', async () => {
      const [mine, other] = [await nkeyOf(), await nkeyOf()];
      assert.deepEqual(await nkeyOf(mine.seed), mine);
      await assert.rejects(nkeyOf('SUNOTASEED'), /a seed of a NATS user/);
      const conf = join(dir, 'nkeys.conf');
      writeFileSync(conf, `authorization { users: [ { nkey: ${mine.publicKey} } ] }\n`);
      for (const [name, { seed }] of Object.entries({ mine, other })) writeFileSync(join(dir, name), `${seed}\n`);
      const guarded = await startBackends({ nats: { args: ['-c', conf] } });
      try {
        const server = guarded.nats?.url ?? '';
        const bus = await dial(server, { nkeySeedFile: join(dir, 'mine') });
        await bus.flush();
        await bus.close();
        await assert.rejects(dial(server, { nkeySeedFile: join(dir, 'other'), connectTimeoutMs: 200 }), /uthoriz/);
      } finally {
        await guarded.stop();
      }
    });

    it('signs in with a token from a file, follows its rotation, and is refused with a wrong one', async () => {
      const file = join(dir, 'token');
      const conf = join(dir, 'nats.conf');
      writeFileSync(conf, 'authorization { token: "first-token" }\n');
      writeFileSync(file, 'first-token\n');
      const guarded = await startBackends({ nats: { args: ['-c', conf] } });
      try {
        const server = guarded.nats?.url ?? '';
        const bus = await dial(server, { tokenFile: file });
        writeFileSync(join(dir, 'wrong'), 'no');
        await assert.rejects(dial(server, { tokenFile: join(dir, 'wrong'), connectTimeoutMs: 200 }), /uthoriz/);
        await assert.rejects(dial(server, { tokenFile: join(dir, 'missing'), connectTimeoutMs: 200 }), /ENOENT/);

        const down = event(bus, 'disconnected');
        const up = event(bus, 'restored');
        await guarded.nats?.kill();
        await down;
        writeFileSync(conf, 'authorization { token: "second-token" }\n');
        await guarded.nats?.restart();
        writeFileSync(file, 'second-token\n');
        await up;
        await bus.flush();
        await bus.close();
      } finally {
        await guarded.stop();
      }
    });
  });
}
