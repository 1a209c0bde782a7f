import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createAuthority, freePorts } from '@parley/testkit';
import type { Check } from '../doctor/check.ts';
import { rendered } from '../doctor/check.ts';
import { commandContext, withTopology } from './context.ts';
import { doctor } from './doctor.ts';
import { init } from './init.ts';
import { withDirectory } from './with-directory.ts';

describe('parley doctor', () => {
  let dir: string;
  let config: string;
  let ports: readonly number[];
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'parley-doctor-'));
    config = join(dir, 'parley.yaml');
    ports = await freePorts(3);
    configure({});
    await init(
      { config, administrator: false },
      { interactive: false, say() {}, ask: () => Promise.reject(new Error()) },
    );
    await withDirectory(commandContext({ config }, 'warn'), async directory => {
      for (const name of ['ada', 'olu'])
        await directory.ensureAdministrator({
          address: `${name}@parley.example`,
          displayName: name,
          password: 'correct horse battery',
        });
    });
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  function configure(settings: object): void {
    const [a, b, c] = ports;
    const base = { dataDir: dir, public: { port: a }, grpc: { port: b }, admin: { port: c } };
    const quick = { directory: { hashMemoryKiB: 8, hashPasses: 1 } };
    writeFileSync(config, JSON.stringify({ ...base, ...quick, ...settings }));
  }
  /** The checks by name, and the exit code. */
  async function examine(): Promise<{ readonly code: number; readonly of: (name: string) => string }> {
    const { lines, code } = await doctor({ config, json: true }, false);
    const { checks, healthy } = JSON.parse(lines[0] as string) as { checks: Check[]; healthy: boolean };
    assert.equal(healthy, code === 0);
    for (const { status, remedy } of checks) assert.equal(status === 'ok', remedy === undefined);
    const of = (name: string) => {
      const check = checks.find(one => one.name === name);
      return check ? `${check.status}: ${check.detail}` : 'not looked at';
    };
    return { code, of };
  }

  it('finds nothing wrong with a new installation, whether it is open elsewhere or not', async () => {
    const { code, of } = await examine();
    assert.equal(code, 0);
    assert.match(of('database'), /^ok: .*parley.sqlite, 1 MiB, its structure is sound/);
    assert.match(of('version'), /^ok: format 1/);
    assert.match(of('archiving'), /^ok: nobody is archived; policies/);
    assert.match(of('administrators'), /^ok: there are 2/);
    assert.match(of('backup'), /^warning: there was none yet/);
    await withTopology(commandContext({ config }, 'warn'), async () => assert.equal((await examine()).code, 0));
  });

  it('names keys that are missing, open to others, or no pair', async () => {
    const key = join(dir, 'keys/service-im.pem');
    chmodSync(key, 0o640);
    assert.match((await examine()).of('keys'), /^failed: .*service-im.pem can be read by other users/);
    chmodSync(key, 0o600);
    writeFileSync(key, readFileSync(join(dir, 'keys/service-presence.pem')));
    assert.match((await examine()).of('keys'), /^failed: service-im.pem and the .pub beside it do not belong together/);
    rmSync(key);
    const { code, of } = await examine();
    assert.match(of('keys'), /^failed: service-im.pem missing/);
    assert.equal(code, 1);
  });

  it('names a port that another program has', async () => {
    const other = createServer().listen(ports[0], '127.0.0.1');
    await new Promise(resolve => other.once('listening', resolve));
    const { code, of } = await examine();
    other.close();
    assert.match(of('public'), /^failed: port \d+ of 127.0.0.1 is taken by another program; .*public.port/);
    assert.match(of('grpc'), /^ok: /);
    assert.equal(code, 1);
  });

  it('tells how long certificates last, and which are no good', async () => {
    const authority = createAuthority(dir);
    configure({ public: { host: '0.0.0.0', port: ports[0], tls: authority.issue('server', { days: 40 }) } });
    assert.match((await examine()).of('public certificate'), /^ok: for DNS:localhost.*ends in (39|40) days/);
    authority.issue('server', { days: 9 });
    const soon = await examine();
    assert.match(soon.of('public certificate'), /^warning: .*ends in [89] days/);
    assert.equal(soon.code, 0);
    writeFileSync(join(dir, 'server.key'), readFileSync(authority.issue('other').keyFile));
    const broken = await examine();
    assert.match(broken.of('configuration'), /^failed: public.tls.keyFile .* is not the key of the certificate/);
    assert.match(broken.of('public certificate'), /^failed: /);
    assert.equal(broken.code, 1);
  });

  it('sees that the clock was set back', async () => {
    const later = Date.now() / 1000 + 3_600;
    utimesSync(join(dir, 'parley.sqlite'), later, later);
    assert.match((await examine()).of('clock'), /^failed: 3\d\d\d s behind the newest file/);
  });

  it('sees a database that is damaged, absent, or not migrated', async () => {
    const file = join(dir, 'parley.sqlite');
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0x55, 8_192, 40_960));
    assert.match((await examine()).of('database'), /^failed: .*(damaged|malformed)/);
    for (const name of ['', '-wal', '-shm']) rmSync(file + name, { force: true });
    assert.match((await examine()).of('database'), /^failed: /);
    await withTopology(commandContext({ config }, 'warn'), async () => {});
    assert.match((await examine()).of('version'), /^failed: the store is not migrated; run 'parley migrate'/);
  });

  it('says what is wrong with a configuration that cannot be read, and ends there', async () => {
    writeFileSync(config, 'public: { prot: 1 }\ngrpc: 7');
    const { lines, code } = await doctor({ config }, false);
    assert.equal(code, 1);
    assert.match(
      lines.join('\n'),
      /^FAIL {2}configuration {2}.*grpc.*public.prot.*did you mean public.port.*\n.*\n1 wrong, 0 to look at$/,
    );
  });

  it('prints plainly into a pipe and in colour on a terminal', () => {
    const checks: Check[] = [{ name: 'disk', status: 'ok', detail: 'much room' }];
    assert.deepEqual(rendered(checks, false), ['ok    disk  much room', 'nothing wrong']);
    assert.equal(rendered(checks, true)[0]?.includes('\u001b[32m'), true);
  });
});
