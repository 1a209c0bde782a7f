import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createCheckpointSigner } from '@parley/archiving-service';
import { createServiceTokenSource, createServiceTokenVerifier } from '@parley/auth';
import { createLogger, createMetrics, systemIds } from '@parley/runtime';
import { ManualClock } from '@parley/testkit';
import type { CommandContext } from './commands/context.ts';
import { listKeys, type RotateOptions, retireKeys, rotateKeys } from './commands/keys.ts';
import { parleyConfigSchema } from './config.ts';
import { personKeyRing } from './key-material.ts';
import { keyNameOf, parseKeyName } from './key-names.ts';
import { watchKeys } from './key-watch.ts';
import { createKeys, type Keys, openKeys } from './keys.ts';

const SERVICES = ['im', 'edge-federation'];
const MINUTE = 60_000;
let dir: string;
let clock: ManualClock;
let keys: Keys;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'parley-keys-'));
  clock = new ManualClock();
  createKeys(dir, SERVICES, systemIds);
  keys = openKeys(dir, clock);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const context = (): CommandContext => ({
  config: parleyConfigSchema.parse({}),
  clock,
  ids: systemIds,
  logger: createLogger({ level: 'silent', service: 'test' }),
  metrics: createMetrics({ defaults: false }),
  keys: openKeys(dir, clock),
});
const rotate = (options: Partial<RotateOptions> = {}) => rotateKeys(context(), { signAfter: 900, ...options });
const pems = () => readdirSync(dir).filter(name => name.endsWith('.pem'));

describe('names of key files', () => {
  it('say family and turn', () => {
    for (const [base, family, signsFromMs] of [
      ['person-token-1', 'person-token', 1],
      ['person-token-12', 'person-token', 12],
      ['checkpoint', 'checkpoint', 0],
      ['service-im', 'service-im', 0],
      ['service-edge-federation-20261121060001', 'service-edge-federation', Date.UTC(2026, 10, 21, 6, 0, 1)],
      ['person-token-20261121060001', 'person-token', Date.UTC(2026, 10, 21, 6, 0, 1)],
    ] as const)
      assert.deepEqual(parseKeyName(base), { base, family, signsFromMs });
    const at = Date.UTC(2030, 0, 2, 3, 4, 5);
    assert.deepEqual(keyNameOf('checkpoint', at), parseKeyName('checkpoint-20300102030405'));
    for (const other of ['refresh', 'checkpoint-0123456789abcdef', 'service-', 'person-token', 'Service-im'])
      assert.equal(parseKeyName(other), undefined, other);
  });
});

describe('a rotation', () => {
  it('makes a key of every family known, which signs when it is its turn, and retires the old ones afterwards', async () => {
    const ring = personKeyRing(keys, clock);
    const source = createServiceTokenSource({ service: 'im', privateKeyPem: () => keys.servicePem('im'), clock });
    const verifier = createServiceTokenVerifier({ publicKeys: () => keys.servicePublicPems(), clock });
    const signer = createCheckpointSigner(() => keys.checkpoint());
    const first = { kid: ring.active.kid, pem: keys.servicePem('im'), keyId: signer.keyId };
    const signed = signer.sign(Buffer.from('a checkpoint'));
    assert.equal(await verifier.verify(await source.token()), 'im');

    const lines = rotate();
    assert.equal(lines.filter(line => line.startsWith('wrote ')).length, 4);
    assert.equal(keys.refresh(), true);
    assert.equal(keys.refresh(), false, 'nothing has changed since');
    assert.equal(JSON.parse(ring.jwksJson()).keys.length, 2, 'known before it signs');
    assert.deepEqual([ring.active.kid, keys.servicePem('im'), signer.keyId], [first.kid, first.pem, first.keyId]);
    assert.match(rotate()[0] as string, /is there already/);
    assert.equal(pems().length, 8, 'a repetition makes no more');

    await clock.advance(901_000);
    assert.equal(keys.refresh(), true);
    assert.notEqual(ring.active.kid, first.kid);
    assert.notEqual(keys.servicePem('im'), first.pem);
    assert.notEqual(signer.keyId, first.keyId);
    assert.equal(await verifier.verify(await source.token()), 'im');
    assert.equal(signer.verify(first.keyId, Buffer.from('a checkpoint'), signed), true);
    assert.match(listKeys(context()).join('\n'), /service-im +\S+ +the beginning +verifies what it signed/);

    assert.deepEqual(retireKeys(context()), ['there is nothing to retire']);
    await clock.advance(17 * MINUTE);
    const due = retireKeys(context(), { dryRun: true });
    assert.ok(due.includes('would remove service-im.pem') && due.includes('would remove person-token-1.pub'));
    assert.equal(pems().length, 8);
    retireKeys(context());
    assert.equal(pems().length, 4);
    assert.ok(existsSync(join(dir, 'checkpoint.pub')), 'what it signed is verified for ever');
    keys.refresh();
    assert.equal(JSON.parse(ring.jwksJson()).keys.length, 1);
    assert.equal(signer.verify(first.keyId, Buffer.from('a checkpoint'), signed), true);
    assert.deepEqual(createKeys(dir, SERVICES, systemIds), [], 'an init makes no new first keys');
  });

  it('follows the lifetime of access tokens, and leaves a key that still waits for its turn', async () => {
    const long = {
      ...context(),
      config: parleyConfigSchema.parse({ directory: { accessTokenLifetimeMs: 3_600_000 } }),
    };
    rotate({ personToken: true, signAfter: 0 });
    await clock.advance(17 * MINUTE);
    rotate({ personToken: true, signAfter: 3_600 });
    assert.deepEqual(retireKeys({ ...long, keys: openKeys(dir, clock) }), ['there is nothing to retire']);
    assert.equal(retireKeys(context()).length, 2);
    assert.equal(pems().filter(name => name.startsWith('person-token')).length, 2);
  });

  it('is one of the families named only, and refuses those that are not there', () => {
    rotate({ service: ['im'] });
    rotate({ checkpoint: true });
    assert.deepEqual(
      pems().map(name => name.replace(/-\d{14}/, '-N')),
      [
        'checkpoint-N.pem',
        'checkpoint.pem',
        'person-token-1.pem',
        'service-edge-federation.pem',
        'service-im-N.pem',
        'service-im.pem',
      ],
    );
    assert.throws(() => rotate({ service: ['imm'] }), /no key of imm here, only of edge-federation, im/);
    rmSync(join(dir, 'checkpoint.pem'));
    for (const name of pems().filter(name => name.startsWith('checkpoint'))) rmSync(join(dir, name));
    assert.throws(() => rotate({ checkpoint: true }), /no checkpoint key here/);
  });

  it('writes files that only their owner can read, whole, the public half first', () => {
    rotate();
    for (const name of readdirSync(dir)) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name);
    assert.deepEqual(
      readdirSync(dir).filter(name => name.endsWith('.draft')),
      [],
    );
    for (const name of pems()) {
      const own = createPublicKey(readFileSync(join(dir, name), 'utf8')).export({ type: 'spki', format: 'pem' });
      assert.equal(readFileSync(join(dir, name.replace('.pem', '.pub')), 'utf8'), own);
    }
  });
});

describe('a running process', () => {
  function watched() {
    const { logger, metrics } = context();
    const watch = watchKeys({ keys, clock, logger, metrics, reloadMs: 10_000 });
    const sample = async (line: string) => (await metrics.render()).split('\n').find(l => l.startsWith(line));
    return { watch, sample };
  }

  it('finds new key files, and the turn of the next key, by itself', async () => {
    const { watch, sample } = watched();
    await watch.start();
    const first = keys.servicePem('im');
    rotate({ service: ['im'], signAfter: 30 });
    await clock.advance(10_000);
    assert.equal(keys.servicePublicPems().im?.length, 2);
    assert.equal(keys.servicePem('im'), first);
    await clock.advance(31_000);
    assert.notEqual(keys.servicePem('im'), first);
    assert.match((await sample('parley_key_reloads_total')) ?? '', /outcome="taken"\} 2$/);
    const since = await sample('parley_key_signs_from_seconds{family="service-im"}');
    assert.ok(Number(since?.split(' ').at(-1)) > 1e9, since);
    await watch.stop();
  });

  it('keeps the keys it has when a file is no key or the last key of a family goes, and says so once', async () => {
    const { watch, sample } = watched();
    await watch.start();
    const pem = keys.servicePem('im');
    const half = join(dir, 'service-im-20200101000000.pem');
    writeFileSync(half, pem.slice(0, 60));
    await clock.advance(30_000);
    assert.equal(keys.servicePem('im'), pem);
    assert.match((await sample('parley_key_reloads_total{outcome="refused"}')) ?? '', / 1$/);
    rmSync(half);
    rmSync(join(dir, 'person-token-1.pem'));
    await clock.advance(10_000);
    assert.equal(keys.personTokens().length, 1);
    assert.match((await sample('parley_key_reloads_total{outcome="refused"}')) ?? '', / 2$/);
    await watch.stop();
  });

  it('needs no more than its own private keys', () => {
    const own = join(dir, 'own');
    mkdirSync(own);
    const mine = readdirSync(dir).filter(name => /\.pub$|^service-im\.pem$/.test(name));
    for (const name of mine) copyFileSync(join(dir, name), join(own, name));
    const some = openKeys(own, clock);
    assert.equal(some.servicePem('im'), keys.servicePem('im'));
    assert.deepEqual(Object.keys(some.servicePublicPems()).sort(), ['edge-federation', 'im']);
    assert.throws(() => some.servicePem('edge-federation'), /service-edge-federation\.pem is missing; 'parley init'/);
    assert.throws(() => some.personTokens(), /person-token-1\.pem is missing/);
    assert.throws(() => some.checkpoint(), /checkpoint\.pem is missing/);
    assert.throws(() => some.refreshKey(), /refresh\.key is missing/);
    assert.match(listKeys({ ...context(), keys: some }).join('\n'), /verifies; the private key is not here/);
  });
});
