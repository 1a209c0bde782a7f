import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import { Role } from '@parley/contracts';
import type { ParleyError, PersonPrincipal } from '@parley/rpc';
import { ManualClock } from '@parley/testkit';
import { createKeyRing, type KeySetProvider } from './key-ring.ts';
import { generateKeyPem } from './keys.ts';
import { createPersonTokenSigner } from './person-token-signer.ts';
import { createPersonTokenVerifier, type PersonTokenVerifierOptions } from './person-token-verifier.ts';

const issuer = 'https://chat.example';
const input = { personId: 'p1', signInId: 's1', roles: [Role.VIEWER], passwordChangeRequired: false };

function setUp(options: Partial<PersonTokenVerifierOptions> = {}) {
  const clock = new ManualClock();
  const key = generateKeyPem();
  const ring = createKeyRing({ pems: [key.privatePem], clock });
  const signer = createPersonTokenSigner(ring, { issuer, clock, lifetimeMs: 600_000 });
  let fetches = 0;
  const keySet: KeySetProvider = async () => {
    fetches++;
    return ring.provider()();
  };
  const verifier = createPersonTokenVerifier({ issuer, keySet, clock, ...options });
  const verify = async (token: string): Promise<PersonPrincipal> => await verifier.verify(token);
  return { clock, key, ring, signer, verifier, verify, fetches: () => fetches };
}

const refusedWith = (code: string) => (error: ParleyError) => {
  assert.equal(error.code, code);
  return true;
};

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token with claims and header of one's own, signed by the ring's key unless told otherwise. */
function forge(t: ReturnType<typeof setUp>, claims: object = {}, header: object = {}, pem?: string): string {
  const now = Math.floor(t.clock.now() / 1000);
  const head = encode({ alg: 'EdDSA', typ: 'at+jwt', kid: t.ring.active.kid, ...header });
  const body = encode({
    iss: issuer,
    aud: 'parley',
    sub: 'p1',
    sid: 's1',
    roles: [],
    iat: now,
    exp: now + 60,
    ...claims,
  });
  const signature = sign(null, Buffer.from(`${head}.${body}`), pem ?? t.key.privatePem);
  return `${head}.${body}.${signature.toString('base64url')}`;
}

describe('person tokens', () => {
  it('stand for the person, the sign-in and the roles they were signed for', async () => {
    const t = setUp();
    const { token, expiresMs } = await t.signer.sign({ ...input, passwordChangeRequired: true });
    assert.equal(expiresMs, t.clock.now() + 600_000);
    assert.deepEqual(await t.verify(token), {
      kind: 'person',
      id: 'p1',
      signInId: 's1',
      roles: [Role.VIEWER],
      tokenExpiresMs: expiresMs,
      passwordChangeRequired: true,
    });
  });

  it('are verified at once the second time, and without fetching keys again', async () => {
    const t = setUp();
    const { token } = await t.signer.sign(input);
    assert.ok(t.verifier.verify(token) instanceof Promise);
    await t.verify(token);
    const fetched = t.fetches();
    assert.equal((t.verifier.verify(token) as PersonPrincipal).id, 'p1');
    assert.equal(t.fetches(), fetched);
  });

  it('are accepted when forged claims are right, which shows that the refusals below have the named cause', async () => {
    const t = setUp();
    assert.equal((await t.verify(forge(t))).id, 'p1');
  });

  it('end at their end and the tolerance, also when they are cached', async () => {
    const t = setUp();
    const { token } = await t.signer.sign(input);
    await t.verify(token);
    await t.clock.advance(604_000);
    await t.verify(token);
    await t.clock.advance(1_000);
    await assert.rejects(t.verify(token), refusedWith('rpc.token_expired'));
  });

  for (const [what, claims, header] of [
    ['another audience', { aud: 'else' }, {}],
    ['another issuer', { iss: 'https://evil.example' }, {}],
    ['a service as issuer', { iss: 'service:im' }, {}],
    ['no person', { sub: undefined }, {}],
    ['a person id with unsafe characters', { sub: 'p1.*' }, {}],
    ['no sign-in', { sid: undefined }, {}],
    ['no end', { exp: undefined }, {}],
    ['roles that are no list', { roles: 'administrator' }, {}],
    ['a time of issue in the future', { iat: 4_000_000_000, exp: 4_000_000_600 }, {}],
    ['a time before which it is not valid', { nbf: 4_000_000_000 }, {}],
    ['the type of a service token', {}, { typ: 'parley-service+jwt' }],
    ['no type', {}, { typ: undefined }],
    ['no key id', {}, { kid: undefined }],
    ['a critical header nobody knows', {}, { crit: ['x'], x: 1 }],
  ] as const) {
    it(`are refused with ${what}`, async () => {
      const t = setUp();
      await assert.rejects(t.verify(forge(t, claims, header)), refusedWith('rpc.unauthenticated'));
    });
  }

  it('are refused with algorithm none', async () => {
    const t = setUp();
    const [, body] = forge(t).split('.');
    const head = encode({ alg: 'none', typ: 'at+jwt', kid: t.ring.active.kid });
    await assert.rejects(t.verify(`${head}.${body}.`), refusedWith('rpc.unauthenticated'));
  });

  it('are refused when the public key is abused as an HMAC secret', async () => {
    const t = setUp();
    const [, body] = forge(t).split('.');
    const head = encode({ alg: 'HS256', typ: 'at+jwt', kid: t.ring.active.kid });
    const mac = createHmac('sha256', t.key.publicPem).update(`${head}.${body}`).digest('base64url');
    await assert.rejects(t.verify(`${head}.${body}.${mac}`), refusedWith('rpc.unauthenticated'));
  });

  it('are refused when another key signed them, even with the key id of ours or a key of its own inside', async () => {
    const t = setUp();
    const other = generateKeyPem();
    await assert.rejects(t.verify(forge(t, {}, {}, other.privatePem)), refusedWith('rpc.unauthenticated'));
    const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
    await assert.rejects(t.verify(forge(t, {}, { jwk }, other.privatePem)), refusedWith('rpc.unauthenticated'));
  });

  it('are refused when a single character was changed', async () => {
    const t = setUp();
    const { token } = await t.signer.sign(input);
    await t.verify(token);
    const at = token.indexOf('.') + 10;
    const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
    await assert.rejects(t.verify(changed), refusedWith('rpc.unauthenticated'));
  });

  for (const [what, token] of [
    ['empty', ''],
    ['one word', 'abc'],
    ['two parts', 'a.b'],
    ['not JSON', '!!.!!.!!'],
    ['larger than 8 KiB', `${'a'.repeat(8000)}.${'b'.repeat(300)}.c`],
  ] as const) {
    it(`are refused when ${what}`, async () => {
      const t = setUp();
      await assert.rejects(async () => t.verifier.verify(token), refusedWith('rpc.unauthenticated'));
      assert.equal(t.fetches(), 0);
    });
  }
});

describe('key sets', () => {
  it('follow a rotation, and old tokens stay valid', async () => {
    const t = setUp();
    const { token: old } = await t.signer.sign(input);
    await t.verify(old);
    const next = generateKeyPem();
    t.ring.replace([t.key.privatePem, { pem: next.privatePem, signsFromMs: t.clock.now() }]);
    await t.clock.advance(5_000);
    assert.equal(t.ring.active.kid, next.kid);
    const { token: fresh } = await t.signer.sign({ ...input, personId: 'p2' });
    assert.equal((await t.verify(fresh)).id, 'p2');
    const { token: other } = await setUp().signer.sign(input);
    await assert.rejects(t.verify(other), refusedWith('rpc.unauthenticated'));
    assert.equal((await t.verify(old)).id, 'p1');
  });

  it('are fetched for unknown key ids at most once in five seconds', async () => {
    const t = setUp();
    await t.verify(forge(t));
    const before = t.fetches();
    for (let i = 0; i < 20; i++) {
      await assert.rejects(t.verify(forge(t, {}, { kid: `unknown-${i}` })), refusedWith('rpc.unauthenticated'));
    }
    assert.equal(t.fetches(), before);
    await t.clock.advance(5_000);
    await assert.rejects(t.verify(forge(t, {}, { kid: 'unknown' })), refusedWith('rpc.unauthenticated'));
    assert.equal(t.fetches(), before + 1);
  });

  it('are fetched once for many tokens that come together', async () => {
    const t = setUp();
    await Promise.all([1, 2, 3, 4].map(n => t.verify(forge(t, { sub: `p${n}` }))));
    assert.equal(t.fetches(), 1);
  });

  it('go on serving when they are stale and the provider fails', async () => {
    let fail = false;
    const t = setUp();
    const verifier = createPersonTokenVerifier({
      issuer,
      clock: t.clock,
      keySet: async () => {
        if (fail) throw new Error('down');
        return { jwksJson: t.ring.jwksJson(), maxAgeMs: 60_000 };
      },
    });
    await verifier.verify(forge(t));
    fail = true;
    await t.clock.advance(61_000);
    assert.equal((await verifier.verify(forge(t, { sub: 'p2' }))).id, 'p2');
  });

  it('that never came make tokens unverifiable until they come, and say when to try again', async () => {
    const t = setUp({
      keySet: async () => {
        throw new Error('down');
      },
    });
    const refused = (error: ParleyError) => error.kind === 'unavailable' && error.retryAfterMs === 5000;
    await assert.rejects(t.verify(forge(t)), refused);
    await assert.rejects(t.verify(forge(t)), refused);
  });
});

describe('key rings', () => {
  it('name keys by their RFC 7638 thumbprint', () => {
    // The example of RFC 8037, appendix A.
    const pem = `-----BEGIN PRIVATE KEY-----\n${Buffer.concat([
      Buffer.from('302e020100300506032b657004220420', 'hex'),
      Buffer.from('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', 'base64url'),
    ]).toString('base64')}\n-----END PRIVATE KEY-----\n`;
    const ring = createKeyRing({ pems: [pem], clock: new ManualClock() });
    assert.equal(ring.active.kid, 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
    assert.deepEqual(JSON.parse(ring.jwksJson()).keys[0].x, '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo');
  });

  it('sign with the key whose turn it is, and tell of all of them', async () => {
    const clock = new ManualClock();
    const [old, next, later] = [generateKeyPem(), generateKeyPem(), generateKeyPem()];
    const ring = createKeyRing({ pems: [old.privatePem], clock });
    const soon = { pem: next.privatePem, signsFromMs: clock.now() + 1_000 };
    const pems = [soon, old.privatePem, { pem: later.privatePem, signsFromMs: clock.now() + 5_000 }];
    ring.replace(pems);
    assert.equal(ring.active.kid, old.kid);
    for (const { kid } of [old, next, later]) assert.ok(ring.jwksJson().includes(kid));
    await clock.advance(1_000);
    assert.equal(ring.active.kid, next.kid);
    await clock.advance(4_000);
    assert.equal(ring.active.kid, later.kid);
    ring.replace([
      { pem: later.privatePem, signsFromMs: clock.now() + 60_000 },
      { ...soon, signsFromMs: clock.now() + 1 },
    ]);
    assert.equal(ring.active.kid, next.kid, 'before the first turn: whose turn comes first');
    assert.ok(!ring.jwksJson().includes(old.kid));
  });

  it('keep what they have when they are given what is no good', () => {
    const { privatePem, kid } = generateKeyPem();
    const ring = createKeyRing({ pems: [privatePem], clock: new ManualClock() });
    assert.throws(() => ring.replace([]), /needs a private key/);
    assert.throws(() => ring.replace([privatePem, { pem: privatePem, signsFromMs: 1 }]), /twice/);
    assert.throws(() => ring.replace(['half a key']), /PEM form/);
    assert.equal(ring.active.kid, kid);
  });

  it('never publish private parts', () => {
    const ring = createKeyRing({ pems: [generateKeyPem().privatePem], clock: new ManualClock() });
    assert.deepEqual(Object.keys(JSON.parse(ring.jwksJson()).keys[0]).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  });

  it('refuse what is no Ed25519 private key, without quoting it', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    for (const pem of [rsa as string, generateKeyPem().publicPem, 'secret-thing', '']) {
      assert.throws(
        () => createKeyRing({ pems: [pem], clock: new ManualClock() }),
        (error: Error) => !error.message.includes('secret-thing'),
      );
    }
    assert.throws(() => createKeyRing({ pems: [], clock: new ManualClock() }));
    const { privatePem } = generateKeyPem();
    assert.throws(() => createKeyRing({ pems: [privatePem, privatePem], clock: new ManualClock() }));
  });
});
