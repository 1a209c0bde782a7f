import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Role } from '@parley/contracts';
import type { ParleyError } from '@parley/rpc';
import { ManualClock } from '@parley/testkit';
import { createAuthenticator } from './authenticator.ts';
import { createKeyRing } from './key-ring.ts';
import { generateKeyPem } from './keys.ts';
import { createPersonTokenSigner } from './person-token-signer.ts';
import { createPersonTokenVerifier } from './person-token-verifier.ts';
import { hasRole, requireRole } from './roles.ts';
import { createServiceTokenSource, createServiceTokenVerifier } from './service-token.ts';

const issuer = 'https://chat.example';

async function setUp() {
  const clock = new ManualClock();
  const ring = createKeyRing({ pems: [generateKeyPem().privatePem], clock });
  const im = generateKeyPem();
  const presence = generateKeyPem();
  const signer = createPersonTokenSigner(ring, { issuer, clock, lifetimeMs: 600_000 });
  const roles = [Role.VIEWER];
  const signed = await signer.sign({ personId: 'p1', signInId: 's1', roles, passwordChangeRequired: false });
  const authenticator = createAuthenticator({
    person: createPersonTokenVerifier({ issuer, keySet: ring.provider(), clock }),
    service: createServiceTokenVerifier({ publicKeys: { im: im.publicPem, presence: presence.publicPem }, clock }),
  });
  const source = createServiceTokenSource({ service: 'im', privateKeyPem: im.privatePem, clock });
  const authenticate = async (bearer?: string, personToken?: string) => authenticator.authenticate(bearer, personToken);
  return { clock, im, presence, authenticator, authenticate, source, personToken: signed.token, roles };
}

const code = (expected: string) => (error: ParleyError) => {
  assert.equal(error.code, expected);
  return true;
};

describe('the authenticator', () => {
  it('takes a call without tokens for anonymous', async () => {
    const t = await setUp();
    assert.deepEqual(await t.authenticate(), { kind: 'anonymous' });
  });

  it('knows people, and answers at once the second time', async () => {
    const t = await setUp();
    const person = await t.authenticate(t.personToken);
    assert.equal(person.kind, 'person');
    assert.equal(t.authenticator.authenticate(t.personToken, undefined), person);
  });

  it('knows services, alone and for a person, and answers at once the second time', async () => {
    const t = await setUp();
    const token = await t.source.token();
    assert.deepEqual(await t.authenticate(token), { kind: 'service', name: 'im' });
    const both = await t.authenticate(token, t.personToken);
    assert.equal(both.kind === 'service' && both.person?.id, 'p1');
    assert.deepEqual(t.authenticator.authenticate(token, t.personToken), both);
  });

  it('refuses a forwarded token without that of a service', async () => {
    const t = await setUp();
    await assert.rejects(t.authenticate(undefined, t.personToken), code('rpc.unauthenticated'));
    await assert.rejects(t.authenticate(t.personToken, t.personToken), code('rpc.unauthenticated'));
    await assert.rejects(t.authenticate('x.y.z', 'a'.repeat(9000)), code('rpc.unauthenticated'));
  });

  it('refuses a service whose name the key is not of', async () => {
    const t = await setUp();
    const source = createServiceTokenSource({ service: 'presence', privateKeyPem: t.im.privatePem, clock: t.clock });
    await assert.rejects(t.authenticate(await source.token()), code('rpc.unauthenticated'));
    const stranger = createServiceTokenSource({ service: 'stranger', privateKeyPem: t.im.privatePem, clock: t.clock });
    await assert.rejects(t.authenticate(await stranger.token()), code('rpc.unauthenticated'));
  });

  it('refuses services where none are expected', async () => {
    const t = await setUp();
    const person = { verify: () => assert.fail('not a token of a person') };
    const alone = createAuthenticator({ person });
    const token = await t.source.token();
    await assert.rejects(async () => alone.authenticate(token, undefined), code('rpc.unauthenticated'));
  });

  it('accepts the old and the new key of a service while it is being replaced', async () => {
    const t = await setUp();
    const next = generateKeyPem();
    const verifier = createServiceTokenVerifier({
      publicKeys: { im: [next.publicPem, t.im.publicPem] },
      clock: t.clock,
    });
    const fresh = createServiceTokenSource({ service: 'im', privateKeyPem: next.privatePem, clock: t.clock });
    assert.equal(await verifier.verify(await t.source.token()), 'im');
    assert.equal(await verifier.verify(await fresh.token()), 'im');
  });
});

describe('service tokens', () => {
  it('are used for 40 seconds and then replaced, by one signature for all who ask', async () => {
    const t = await setUp();
    const [first, same] = await Promise.all([t.source.token(), t.source.token()]);
    assert.equal(first, same);
    await t.clock.advance(39_999);
    assert.equal(t.source.token(), first);
    await t.clock.advance(1);
    assert.notEqual(await t.source.token(), first);
  });

  it('end after 60 seconds and the tolerance', async () => {
    const t = await setUp();
    const token = await t.source.token();
    await t.authenticate(token);
    await t.clock.advance(64_000);
    await t.authenticate(token);
    await t.clock.advance(2_000);
    await assert.rejects(t.authenticate(token), code('rpc.token_expired'));
  });
});

describe('role checks', () => {
  it('look at the person behind a service too', async () => {
    const t = await setUp();
    const principal = await t.authenticate(await t.source.token(), t.personToken);
    assert.equal(hasRole(principal, Role.VIEWER, Role.ADMINISTRATOR), true);
    assert.equal(hasRole(principal, Role.ADMINISTRATOR), false);
    assert.equal(requireRole(principal, Role.VIEWER).id, 'p1');
    assert.throws(() => requireRole(principal, Role.ADMINISTRATOR), code('rpc.permission_denied'));
    assert.throws(() => requireRole({ kind: 'anonymous' }, Role.VIEWER), code('rpc.unauthenticated'));
  });
});
