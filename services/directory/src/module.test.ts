import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createAuthenticator, createServiceTokenVerifier } from '@parley/auth';
import { Role } from '@parley/contracts';
import { DirectoryAdminService, PolicyAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { DirectoryInternalService } from '@parley/contracts/directory/v1/internal';
import { createInProcessChannel, createRegistry } from '@parley/rpc';
import { systemIds } from '@parley/runtime';
import { createDirectory, directoryConfigSchema } from './index.ts';
import { type Directory, goodPassword, refusal, startDirectory } from './testing/harness.ts';

const services = [AuthService, DirectoryService, DirectoryAdminService, PolicyAdminService, DirectoryInternalService];

describe('the directory, mounted', () => {
  let d: Directory;
  beforeEach(async () => {
    d = await startDirectory();
  });
  afterEach(() => d.close());

  function mounted() {
    const { clock, metrics } = d;
    const logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger };
    const verifiers = { person: d.verifier, service: createServiceTokenVerifier({ publicKeys: {}, clock }) };
    const authenticator = createAuthenticator(verifiers);
    const registry = createRegistry({
      authenticator,
      clock,
      ids: systemIds,
      logger,
      metrics,
      services: d.module.services,
    });
    return { registry, as: (name: string) => createInProcessChannel(registry, { as: name, clock }) };
  }

  it('serves every rpc of its contract', () => {
    const { registry } = mounted();
    const wanted = services.flatMap(s => s.methods.map(m => `/${s.typeName}/${m.name}`));
    assert.equal(wanted.length, 30);
    assert.deepEqual(
      wanted.filter(path => !registry.find(path)),
      [],
    );
  });

  it('lets people do what their roles allow, and services what is theirs', async () => {
    const channel = mounted().as('session');
    await d.module.ensureAdministrator({
      address: 'root@hospital.example',
      displayName: 'Root',
      password: goodPassword,
    });
    await d.person('alice@hospital.example', { roles: [Role.VIEWER] });
    const contextOf = async (address: string) => {
      const request = { address, password: goodPassword };
      return d.as((await channel.unary(AuthService.method.signIn, request)).tokens?.accessToken as string);
    };
    const [root, alice] = [await contextOf('root@hospital.example'), await contextOf('alice@hospital.example')];
    const list = DirectoryAdminService.method.listAccounts;
    assert.equal((await channel.unary(list, {}, { context: root })).accounts.length, 2);
    assert.equal((await channel.unary(list, {}, { context: alice })).accounts.length, 2);
    const set = PolicyAdminService.method.setArchivingPolicy;
    const request = { policy: { archiveInternal: true } };
    assert.equal((await channel.unary(set, request, { context: root })).effective?.policy?.archiveInternal, true);
    await assert.rejects(channel.unary(set, request, { context: alice }), refusal('rpc.permission_denied'));
    const check = DirectoryInternalService.method.checkSignIns;
    assert.deepEqual((await channel.unary(check, { signInIds: ['gone'] })).ended, ['gone']);
    await assert.rejects(mounted().as('im').unary(check, {}), refusal('rpc.permission_denied'));
  });

  it('allows nothing but a new password to whoever must change it', async () => {
    const channel = mounted().as('session');
    const address = 'alice@hospital.example';
    await d.module.ensurePerson({
      address,
      displayName: 'Alice',
      password: goodPassword,
      passwordChangeRequired: true,
    });
    const first = await channel.unary(AuthService.method.signIn, { address, password: goodPassword });
    const context = await d.as(first.tokens?.accessToken as string);
    await assert.rejects(
      channel.unary(DirectoryService.method.getMe, {}, { context }),
      refusal('rpc.password_change_required'),
    );
    const request = { currentPassword: goodPassword, newPassword: 'mountains in the morning' };
    const { tokens } = await channel.unary(AuthService.method.changePassword, request, { context });
    const free = await d.as(tokens?.accessToken as string);
    assert.equal(
      (await channel.unary(DirectoryService.method.getMe, {}, { context: free })).person?.primaryAddress,
      address,
    );
  });
});

describe('the configuration', () => {
  it('has a default and a meaning for everything', () => {
    assert.deepEqual(directoryConfigSchema.parse({}).domains, ['parley.example']);
    for (const [name, field] of Object.entries(directoryConfigSchema.shape)) {
      assert.ok(field.description, name);
      if (name.endsWith('Ms')) assert.match(field.description as string, /milliseconds, [\d,]+ to [\d,]+/, name);
    }
    assert.throws(() => directoryConfigSchema.parse({ lockoutAttempt: 3 }));
  });

  it('that makes no sense is refused at the start', async () => {
    await assert.rejects(startDirectory({ domains: ['no domain'] }), /no domain/);
    const short = () => createDirectory(directoryConfigSchema.parse({}), { refreshKey: new Uint8Array(16) } as never);
    assert.throws(short, /refresh key/);
  });
});
