/** Access tokens, refresh tokens, cursors and addresses that nobody gave out. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { create, type DescMethod, toBinary } from '@bufbuild/protobuf';
import { ArchiveService, DiscoveryService } from '@parley/contracts/archive/v1/archive';
import { DirectoryAdminService, PolicyAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { ImService } from '@parley/contracts/im/v1/im';
import { CATALOGUES, publicServices } from '@parley/server/reference';
import { until } from '@parley/testkit';
import fc from 'fast-check';
import { type Product, password, startProduct } from './src/product.ts';
import { runs } from './src/settings.ts';
import { anyText, damaged } from './src/shapes.ts';
import { alive, watchProcess } from './src/watch.ts';
import type { Answer } from './src/wire.ts';

const codes = new Set(CATALOGUES.flatMap(({ catalogue }) => Object.keys(catalogue)));
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const parse = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
const path = (method: DescMethod) => `/${method.parent.typeName}/${method.name}`;

describe('what nobody gave out', () => {
  let product: Product;
  let token: string;
  let parts: [string, string, string];
  let keys: string;
  let atFirst: number;
  const watch = watchProcess();

  before(async () => {
    product = await startProduct();
    token = await product.token('everything');
    parts = token.split('.') as [string, string, string];
    keys = (await product.call(AuthService.method.getKeySet, {})).jwksJson;
    atFirst = await alive();
  });
  after(() => product?.stop());

  const { getMe } = DirectoryService.method;

  /** Field values of HTTP: what a client could send at all. */
  const header = (text: string) =>
    Buffer.from(text, 'utf8')
      .toString('latin1')
      .replace(/[^\x20-\x7e\x80-\xff]/g, '');

  async function judge(answer: Promise<Answer>, allowed: readonly number[]): Promise<Answer> {
    const lines = product.errors.length;
    const { status, code, http, closed } = await answer;
    const what = JSON.stringify({ status, code, http, closed });
    assert.deepEqual(product.errors.slice(lines), [], what);
    if (status === undefined) assert.ok(http === 431 || http === 400, what);
    else if (status !== 0) assert.ok(code !== undefined && codes.has(code), what);
    if (status !== undefined) assert.ok(allowed.includes(status), what);
    return answer;
  }

  async function refused(forged: string): Promise<void> {
    const text = header(forged);
    // The last character of base64 has bits that mean nothing.
    const [head, body, signature = ''] = text.trim().split('.');
    const same = Buffer.from(signature, 'base64url').equals(Buffer.from(parts[2], 'base64url'));
    const unchanged = head === parts[0] && body === parts[1] && same;
    await judge(product.post(path(getMe), new Uint8Array(), text), unchanged ? [0, 16] : [16]);
  }

  it('as an access token is refused: damaged', () =>
    fc.assert(
      fc.asyncProperty(damaged(fc.constant(Buffer.from(token))), bytes => refused(bytes.toString('latin1'))),
      runs(150),
    ));

  it('as an access token is refused: with other claims and heads', async () => {
    const [key] = (JSON.parse(keys) as { keys: { kid: string; x: string }[] }).keys;
    assert.ok(key);
    const claim = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(4_000_000_000, '', null, [], 'administrator'),
    );
    const changes = (names: readonly string[]) =>
      fc.array(fc.tuple(fc.constantFrom(...names), claim), { minLength: 1, maxLength: 3 }).map(Object.fromEntries);
    const kid = fc.constantFrom(key.kid, '', '../../keys', 'x'.repeat(2000), '林', '__proto__', null, 7, ['a']);
    const alg = fc.constantFrom('none', 'None', 'HS256', 'EdDSA', 'ES256', 'RS256', 'Ed25519', '', null, 0);
    await fc.assert(
      fc.asyncProperty(
        changes([...Object.keys(parse(parts[1])), '__proto__', 'roles', 'aud', 'crit']),
        fc.record({ alg, kid, jwk: fc.option(fc.constant(key)), crit: fc.option(fc.constant(['exp'])) }),
        fc.constantFrom('empty', 'own', 'hmac'),
        fc.boolean(),
        async (claims, head, signing, changeHead) => {
          const first = changeHead ? base64url({ ...parse(parts[0]), ...head }) : parts[0];
          const signed = `${first}.${base64url({ ...parse(parts[1]), ...claims })}`;
          const signatures = {
            empty: '',
            own: parts[2],
            // The trick with a public key taken for a secret.
            hmac: createHmac('sha256', Buffer.from(key.x, 'base64url')).update(signed).digest('base64url'),
          };
          await refused(`${signed}.${signatures[signing as keyof typeof signatures]}`);
        },
      ),
      runs(200),
    );
  });

  it('as an access token is refused: any text, however long', () =>
    fc.assert(
      fc.asyncProperty(
        anyText,
        fc.constantFrom(1, 100, 2000),
        fc.constantFrom('', '.', '..', '....'),
        (text, n, dots) => refused(`${text.repeat(n).slice(0, 20_000)}${dots}${text}`),
      ),
      runs(60),
    ));

  it('as a refresh token is refused', async () => {
    const { signIn, refresh } = AuthService.method;
    const { tokens } = await product.call(signIn, { address: 'nothing@fuzz.example', password });
    const real = tokens?.refreshToken as string;
    const forged = fc.oneof(
      damaged(fc.constant(Buffer.from(real))).map(bytes => bytes.toString('latin1')),
      anyText,
      fc.constantFrom('x'.repeat(5000), `${real}.`, real.toUpperCase(), real.split('').reverse().join('')),
    );
    await fc.assert(
      fc.asyncProperty(forged, async refreshToken => {
        // What follows the secret only tells reuse from invention.
        fc.pre(!secretOf(refreshToken).equals(secretOf(real)));
        const bytes = toBinary(refresh.input, create(refresh.input, { refreshToken }));
        await judge(product.post(path(refresh), bytes, undefined), [3, 8, 16]);
      }),
      runs(120),
    );
    // What was tried ended nothing.
    assert.ok((await product.call(refresh, { refreshToken: real })).tokens?.accessToken);
  });

  it('as a cursor is refused, or begins somewhere else', async () => {
    const found = await cursors(product, token);
    assert.ok(found.length >= 5, `cursors of ${found.length} fields`);
    for (const { method, field, request, values } of found) {
      const forged = fc.oneof(
        damaged(fc.constantFrom(...values).map(value => Buffer.from(value))).map(bytes => bytes.toString('latin1')),
        // Those of other methods, and the content of one's own, changed and encoded again.
        fc.constantFrom(...found.flatMap(other => other.values)),
        damaged(fc.constantFrom(...values).map(value => Buffer.from(value, 'base64url'))).map(bytes =>
          bytes.toString('base64url'),
        ),
        fc.jsonValue().map(base64url),
        anyText,
        fc.constantFrom('x'.repeat(5000), '=', 'null', '{}', '[]'),
      );
      await fc.assert(
        fc.asyncProperty(forged, async text => {
          const bytes = toBinary(method.input, create(method.input, { ...request, [field]: text } as never));
          await judge(product.post(path(method), bytes, token), [0, 3, 5, 8, 9]);
        }),
        runs(50),
      );
    }
  });

  it('as an address is refused, or leads to nobody', async () => {
    const address = fc.oneof(
      fc.emailAddress(),
      anyText,
      fc
        .tuple(anyText, fc.constantFrom('fuzz.example', 'FUZZ.example', 'fuzz。example', 'other.example', '[::1]', ''))
        .map(([name, domain]) => `${name}@${domain}`),
    );
    const { getPeople } = DirectoryService.method;
    const { createPerson } = DirectoryAdminService.method;
    await fc.assert(
      fc.asyncProperty(address, async text => {
        const look = toBinary(getPeople.input, create(getPeople.input, { addresses: [text] }));
        await judge(product.post(path(getPeople), look, token), [0, 3, 8]);
        const person = { requestId: crypto.randomUUID(), displayName: 'Somebody', address: text };
        const make = toBinary(createPerson.input, create(createPerson.input, person));
        const { status } = await judge(product.post(path(createPerson), make, token), [0, 3, 6, 8, 9]);
        if (status !== 0) return;
        const { people } = await product.call(getPeople, { addresses: [text] }, token);
        assert.equal(people.length, 1, 'an address that was accepted leads to its person');
      }),
      runs(100),
    );
  });

  it('leaves nothing behind', async () => {
    const grown = ((await alive()) - atFirst) / 2 ** 20;
    assert.ok(grown < 25, `${grown.toFixed(1)} MiB more are alive`);
    watch.done();
  });
});

/** The part of a refresh token that makes it one. */
function secretOf(token: string): Buffer {
  const [version, signIn, rest = ''] = token.split('.');
  return Buffer.concat([Buffer.from(`${version}.${signIn}.`), Buffer.from(rest, 'base64url').subarray(0, 32)]);
}

/** Real cursors: every method with a field of that kind, asked for pages of one. */
async function cursors(product: Product, token: string) {
  const { people, call } = product;
  const { recipientId, conversationId } = await talk(product, token);
  const requests: Record<string, object> = {
    GetHistory: { conversation: { case: 'conversationId', value: conversationId }, conversationId, withPersonId: '' },
    SearchPeople: { query: 'p' },
    ListGroupMembers: { group: 'Fuzzers' },
    Search: { purpose: { caseId: 'CASE-1', reason: 'fuzz' }, query: { people: [recipientId] } },
  };
  for (const group of ['Fuzzers', 'More fuzzers']) {
    await call(
      DirectoryAdminService.method.putGroup,
      { name: group, addMembers: people.slice(0, 3).map(person => person.id) },
      token,
    );
  }
  const found: { method: DescMethod; field: string; request: object; values: string[] }[] = [];
  for (const method of publicServices().flatMap(({ service }) => service.methods)) {
    for (const { name, localName } of method.input.fields) {
      if (!/^(cursor|page)$/.test(name)) continue;
      const request = { ...requests[method.name], limit: 1 };
      const answer = (await call(method as never, request as never, token)) as Record<string, unknown>;
      const values = ['nextCursor', 'cursor', 'nextPage'].map(key => answer[key]).filter(Boolean) as string[];
      assert.ok(values.length > 0, `${method.name} gave no cursor`);
      found.push({ method, field: localName, request, values });
    }
  }
  return found;
}

async function talk({ people, call, poison }: Product, token: string) {
  const recipientId = people[0]?.id as string;
  const message = (text: string) => ({ messageId: crypto.randomUUID(), recipientId, content: { text } });
  const { sendMessage } = ImService.method;
  const { setArchivingPolicy } = PolicyAdminService.method;
  await call(setArchivingPolicy, { policy: { archiveInternal: true, archiveExternal: true } }, token);
  await call(sendMessage, message('one'), token);
  const { conversationId } = await call(sendMessage, message('two'), token);
  const { search } = DiscoveryService.method;
  const query = { purpose: { caseId: 'CASE-1', reason: 'fuzz' }, query: { people: [recipientId] }, limit: 1 };
  // Two messages, and two entries of the audit log about looking for them.
  await until('the messages in the archive', async () => (await call(search, query, token)).nextCursor !== '');
  for (const byte of [1, 2]) await poison(Uint8Array.of(0xff, byte));
  const { listParked } = ArchiveService.method;
  await until('two parked records', async () => (await call(listParked, { limit: 1 }, token)).nextCursor !== '');
  return { recipientId, conversationId };
}
