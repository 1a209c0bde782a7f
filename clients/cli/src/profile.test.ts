import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { configHome } from '../test/io.ts';
import { UsageError } from './exit-codes.ts';
import { openProfile } from './profile.ts';

const tokens = {
  accessToken: 'a',
  accessExpiresMs: 2,
  receivedMs: 1,
  refreshToken: 'r',
  refreshExpiresMs: 3,
  personId: 'mei',
};
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('a profile', () => {
  it('keeps server and tokens for its owner alone, and nothing before there is something to keep', async t => {
    const home = configHome(t);
    const profile = openProfile('mei', { XDG_CONFIG_HOME: home });
    assert.equal(profile.server(), undefined);
    assert.equal(await profile.tokens.load(), undefined);
    assert.deepEqual(readdirSync(home), []);
    profile.setServer('https://parley.example');
    await profile.tokens.save(tokens);
    await profile.cursors.save('mei c1');
    assert.equal(mode(join(home, 'parley')), '700');
    for (const name of readdirSync(join(home, 'parley'))) assert.equal(mode(join(home, 'parley', name)), '600', name);
    const again = openProfile('mei', { XDG_CONFIG_HOME: home });
    assert.equal(again.server(), 'https://parley.example');
    assert.deepEqual(await again.tokens.load(), tokens);
    assert.equal(await again.cursors.load(), 'mei c1');
    assert.equal(await openProfile('tom', { XDG_CONFIG_HOME: home }).tokens.load(), undefined);
  });

  it('closes what was open to others', async t => {
    const home = configHome(t);
    const profile = openProfile('mei', { XDG_CONFIG_HOME: home });
    await profile.tokens.save(tokens);
    chmodSync(profile.path, 0o644);
    chmodSync(join(home, 'parley'), 0o755);
    await profile.tokens.save(tokens);
    assert.equal(mode(profile.path), '600');
    assert.equal(mode(join(home, 'parley')), '700');
  });

  it('keeps the server when the sign-in ends, and leaves no temporary files', async t => {
    const home = configHome(t);
    const profile = openProfile('mei', { XDG_CONFIG_HOME: home });
    profile.setServer('https://parley.example');
    await profile.tokens.save(tokens);
    await profile.tokens.clear();
    assert.equal(await profile.tokens.load(), undefined);
    assert.equal(profile.server(), 'https://parley.example');
    assert.deepEqual(readdirSync(join(home, 'parley')), ['mei.json']);
    assert.ok(!readFileSync(profile.path, 'utf8').includes('"r"'));
  });

  it('is below the home directory where nothing else is said', t => {
    assert.match(openProfile('mei', { HOME: configHome(t) }).path, /\.config\/parley\/mei\.json$/);
  });

  it('has a name that is no path', t => {
    const env = { XDG_CONFIG_HOME: configHome(t) };
    for (const name of ['../x', '', '.hidden', 'a/b', 'x'.repeat(65), 'a b'])
      assert.throws(() => openProfile(name, env), UsageError, name);
  });

  it('says when its file is none', async t => {
    const env = { XDG_CONFIG_HOME: configHome(t) };
    const profile = openProfile('mei', env);
    await profile.tokens.save(tokens);
    for (const text of ['{"version":2}', 'not json', '']) {
      writeFileSync(profile.path, text);
      await assert.rejects(profile.tokens.load(), /is not a profile of this version/);
    }
  });

  it('is another device for every process without a terminal', t => {
    const profile = openProfile('mei', { XDG_CONFIG_HOME: configHome(t) });
    const [a, b] = [profile.endpointId(), profile.endpointId()];
    assert.match(a, /^[A-Za-z0-9_-]{8,64}$/);
    assert.notEqual(a, b);
  });
});
