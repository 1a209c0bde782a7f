import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createAuthority, ManualClock, type TestAuthority, until } from '@parley/testkit';
import { createLogger } from '../create-logger.ts';
import { createMetrics } from '../create-metrics.ts';
import { readTlsFiles, type TlsFiles, TlsFilesError } from './read-tls-files.ts';
import { watchTlsFiles } from './watch-tls-files.ts';

const DAY = 24 * 3600 * 1000;

describe('TLS files', () => {
  let dir: string;
  let authority: TestAuthority;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'parley-tls-'));
    authority = createAuthority(dir);
  });
  after(() => rmSync(dir, { recursive: true }));

  const problemsOf = (files: TlsFiles, now = Date.now()): string[] => {
    try {
      readTlsFiles(files, now);
    } catch (error) {
      assert.ok(error instanceof TlsFilesError);
      return error.problems.map(p => `${p.field}: ${p.message.replaceAll(`${dir}/`, '')}`);
    }
    return [];
  };

  it('are taken when certificate and key belong together and are in force', () => {
    const files = authority.issue('good', { days: 10 });
    const material = readTlsFiles({ ...files, caFile: authority.caFile }, Date.now());
    assert.equal(material.ca, authority.ca);
    assert.equal(Math.round((material.notAfterMs - Date.now()) / DAY), 10);
    assert.match(material.names, /DNS:localhost/);
  });

  it('are refused with every reason at once', () => {
    const { certFile } = authority.issue('one');
    const { keyFile } = authority.issue('other');
    assert.deepEqual(problemsOf({ certFile, keyFile }), [
      'keyFile: other.key is not the key of the certificate one.pem',
    ]);
    const mine = join(dir, 'one.key');
    assert.match(
      problemsOf({ certFile, keyFile: mine }, Date.now() + 31 * DAY)[0] ?? '',
      /^certFile: one.pem ended at 20/,
    );
    assert.match(
      problemsOf({ certFile, keyFile: mine }, Date.now() - DAY)[0] ?? '',
      /begins only at 20.*; check the clock/,
    );
    chmodSync(mine, 0o644);
    assert.deepEqual(
      problemsOf({ certFile, keyFile: mine }).map(text => text.replaceAll(dir, '')),
      ['keyFile: one.key can be read by others; run: chmod 600 one.key'],
    );
    chmodSync(mine, 0o640);
    assert.deepEqual(problemsOf({ certFile, keyFile: mine }), [], 'a group may read it');
    writeFileSync(join(dir, 'junk'), 'nothing', { mode: 0o600 });
    const junk = join(dir, 'junk');
    assert.deepEqual(problemsOf({ certFile: junk, keyFile: junk, caFile: join(dir, 'nowhere') }), [
      'caFile: nowhere is not there',
      'certFile: junk holds no certificate in PEM',
      'keyFile: junk holds no private key in PEM',
    ]);
    assert.deepEqual(problemsOf({ certFile }), ['keyFile: certificate and key are needed together']);
  });

  it('are refused when the key has a passphrase or is too short for OpenSSL', () => {
    const { certFile } = authority.issue('locked');
    const locked = join(dir, 'locked2.key');
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
    openssl('pkcs8', '-topk8', '-in', 'locked.key', '-out', 'locked2.key', '-passout', 'pass:secret');
    chmodSync(locked, 0o600);
    assert.match(problemsOf({ certFile, keyFile: locked })[0] ?? '', /is encrypted/);
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:512',
      '-nodes',
      '-keyout',
      'short.key',
      '-out',
      'short.pem',
      '-subj',
      '/CN=x',
    );
    chmodSync(join(dir, 'short.key'), 0o600);
    const short = problemsOf({ certFile: join(dir, 'short.pem'), keyFile: join(dir, 'short.key') });
    assert.match(short[0] ?? '', /OpenSSL does not accept short.pem: .*too small/);
  });

  describe('that are watched', () => {
    const lines: { level: string; event: string; [key: string]: unknown }[] = [];
    const metrics = createMetrics({ defaults: false });
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const logger = createLogger({ level: 'debug', service: 'test', destination });
    const value = async (line: string) =>
      Number(
        (await metrics.render())
          .split('\n')
          .find(l => l.startsWith(line))
          ?.split(' ')
          .at(-1) ?? Number.NaN,
      );
    beforeEach(() => void (lines.length = 0));

    function watch(files: TlsFiles) {
      // later than every certificate that the test issues, however slow the machine is
      const clock = new ManualClock(Date.now() + 60_000);
      return { clock, watched: watchTlsFiles({ listener: 'public', files, clock, logger, metrics, reloadMs: 1_000 }) };
    }

    it('are taken anew when their content changes, and the gauge says until when', async () => {
      const files = authority.issue('watched', { days: 5 });
      const { clock, watched } = watch(files);
      await watched.start();
      const first = watched.current;
      const told: string[] = [];
      watched.onChange(material => told.push(material.cert as string));
      authority.issue('watched', { days: 20 });
      await until('the renewed certificate', async () => {
        await clock.advance(1_000);
        return watched.current !== first;
      });
      assert.deepEqual(told, [watched.current.cert]);
      assert.equal(
        await value('parley_tls_certificate_not_after_seconds{listener="public"}'),
        Math.floor(watched.current.notAfterMs / 1000),
      );
      await watched.stop();
      assert.equal(clock.pending, 0);
    });

    it('stay as they were when the new ones are no good, which is logged once', async () => {
      const files = authority.issue('kept');
      const { clock, watched } = watch(files);
      await watched.start();
      const { current } = watched;
      cpSync(authority.issue('stranger').keyFile, files.keyFile);
      await watched.reload();
      await watched.reload();
      assert.equal(watched.current, current);
      const refusals = lines.filter(line => line.event === 'tls.certificate.refused');
      assert.equal(refusals.length, 1);
      assert.match(JSON.stringify(refusals[0]?.err), /is not the key of the certificate/);
      assert.equal(await value('parley_tls_reloads_total{listener="public",outcome="refused"}'), 1);
      authority.issue('kept');
      await watched.reload();
      assert.notEqual(watched.current, current);
      await watched.stop();
      assert.equal(clock.pending, 0);
    });

    it('are complained about once a day before they end', async () => {
      const { clock, watched } = watch(authority.issue('ending', { days: 3 }));
      await watched.start();
      for (let hours = 0; hours < 40; hours++) {
        await clock.advance(3600_000);
        await watched.reload();
      }
      const warnings = lines.filter(line => line.event === 'tls.certificate.ends_soon');
      assert.deepEqual(
        warnings.map(w => w.daysLeft),
        [2, 1],
      );
      await watched.stop();
    });

    it('keep a process from starting when they are no good', async () => {
      const { watched } = watch({ certFile: join(dir, 'nowhere.pem'), keyFile: join(dir, 'nowhere.key') });
      await assert.rejects(watched.start(), /nowhere.pem is not there; .*nowhere.key is not there/);
    });
  });
});
