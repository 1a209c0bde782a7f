import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { loadConfig } from '@parley/runtime';
import { parleyConfigSchema } from '../config.ts';
import { configTemplate } from '../config-template.ts';
import { commandContext, withTopology } from './context.ts';
import { type InitOptions, init } from './init.ts';
import type { Terminal } from './terminal.ts';
import { withDirectory } from './with-directory.ts';

const PASSWORD = /\b([a-z2-9]{5}-){3}[a-z2-9]{5}\b/;

/** A terminal that answers, and what was shown on it. */
function terminal(...answers: string[]): Terminal & { readonly shown: () => string; readonly left: () => number } {
  const lines: string[] = [];
  return {
    interactive: answers.length > 0,
    say: line => void lines.push(line),
    async ask(question, fallback, check) {
      for (;;) {
        const answer = answers.shift();
        if (answer === undefined) throw new Error(`nobody answers "${question}"`);
        lines.push(question);
        try {
          return check(answer === '' ? (fallback ?? '') : answer);
        } catch (error) {
          lines.push((error as Error).message);
        }
      }
    },
    shown: () => lines.join('\n'),
    left: () => answers.length,
  };
}

describe('parley init', () => {
  let dir: string;
  let dataDir: string;
  let flags: Required<Pick<InitOptions, 'dataDir' | 'domain' | 'profile' | 'administrator' | 'name' | 'passwordFile'>>;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'parley-init-'));
    dataDir = join(dir, 'data');
    const passwordFile = join(dir, 'password');
    flags = {
      ...{ dataDir, passwordFile, profile: 'standard', domain: ['hospital.example'] },
      ...{ administrator: 'boss@hospital.example', name: 'Boss' },
    };
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
  const administrators = () =>
    withDirectory(commandContext({ dataDir }, 'warn'), directory => directory.countAdministrators());

  it('asks on a terminal, says what profiles mean, and shows the one-time password once', async () => {
    const first = terminal(
      'no domain',
      'Hospital.example',
      'strict',
      'regulated',
      'boss@elsewhere.example',
      '',
      'Ada Lin',
    );
    await init({ dataDir }, first);
    assert.equal(first.left(), 0);
    const shown = first.shown();
    assert.match(shown, /"no domain" is not a domain name/);
    assert.match(shown, /standard +nobody is archived/);
    assert.match(shown, /answer standard or regulated/);
    assert.match(shown, /"boss@elsewhere.example" is no address in hospital.example/);
    assert.match(shown, /made admin@hospital.example the first administrator/);
    assert.match(
      shown,
      /parley serve --data-dir .*parleyctl login --server http:\/\/127.0.0.1:7380 admin@hospital.example/s,
    );
    assert.equal(shown.match(new RegExp(PASSWORD, 'g'))?.length, 1);
    const config = loadConfig(parleyConfigSchema, { file: join(dataDir, 'parley.yaml') });
    assert.deepEqual(config.directory.domains, ['hospital.example']);
    assert.deepEqual([config.directory.archiveInternal, config.directory.archiveCritical], [true, true]);

    const again = terminal('nobody asks');
    await init({ dataDir }, again);
    assert.equal(again.left(), 1, 'a rerun asks nothing');
    assert.match(again.shown(), /there is an administrator, whose password stays as it is/);
    assert.doesNotMatch(again.shown(), PASSWORD);
  });

  it('does all of it by flags, with the password in a file of its owner alone', async () => {
    const quiet = terminal();
    await init(flags, quiet);
    assert.doesNotMatch(quiet.shown(), PASSWORD);
    const { passwordFile } = flags;
    assert.match(readFileSync(passwordFile, 'utf8'), PASSWORD);
    const modes = [
      passwordFile,
      dataDir,
      join(dataDir, 'keys'),
      join(dataDir, 'keys/refresh.key'),
      join(dataDir, 'parley.yaml'),
    ];
    assert.deepEqual(modes.map(mode), ['600', '700', '700', '600', '600']);
    assert.equal(await administrators(), 1);

    const before = readFileSync(passwordFile, 'utf8') + readFileSync(join(dataDir, 'parley.yaml'), 'utf8');
    const again = terminal();
    await init({ ...flags, domain: ['other.example'], profile: 'regulated' }, again);
    assert.equal(readFileSync(passwordFile, 'utf8') + readFileSync(join(dataDir, 'parley.yaml'), 'utf8'), before);
    assert.match(again.shown(), /--domain and --profile changed nothing: edit the file/);
  });

  it('refuses to guess in a pipe, naming every missing flag, and writes nothing', async () => {
    await assert.rejects(
      init({ dataDir, name: 'Boss' }, terminal()),
      /^Error: there is no terminal to ask on: give --domain, --profile, --administrator, --password-file \(or --no-administrator\)$/,
    );
    await assert.rejects(
      init({ ...flags, administrator: 'boss@other.example' }, terminal()),
      /no address in hospital.example/,
    );
    await assert.rejects(init({ ...flags, dataDir: `${dataDir}2`, domain: ['a b'] }, terminal()), /not a domain name/);
    assert.equal(existsSync(dataDir) || existsSync(`${dataDir}2`), false);
  });

  it('makes no administrator when told so, and one when run again', async () => {
    await init({ ...flags, administrator: false }, terminal());
    assert.equal(await administrators(), 0);
    await assert.rejects(
      init({ dataDir }, terminal()),
      /there is no administrator yet, and no terminal to ask on: give --administrator, --name, --password-file/,
    );
    await init(flags, terminal());
    assert.equal(await administrators(), 1);
  });

  it('completes what was cut short: the password that lies in the file already is used', async () => {
    await init({ ...flags, administrator: false }, terminal());
    writeFileSync(flags.passwordFile, 'abcde-fghjk-mnpqr-stuvw\n', { mode: 0o600 });
    await init(flags, terminal());
    assert.equal(readFileSync(flags.passwordFile, 'utf8'), 'abcde-fghjk-mnpqr-stuvw\n');
    assert.equal(await administrators(), 1);
  });

  it('does not take a file that holds something else for the password', async () => {
    writeFileSync(flags.passwordFile, 'shopping list\n', { mode: 0o600 });
    await assert.rejects(init(flags, terminal()), /holds something else; name another --password-file/);
    assert.equal(readFileSync(flags.passwordFile, 'utf8'), 'shopping list\n');
    assert.equal(await administrators(), 0);
  });

  it('leaves an installation that runs alone', async () => {
    await init(flags, terminal());
    const running = terminal();
    await withTopology(commandContext({ dataDir }, 'warn'), () => init(flags, running));
    assert.match(running.shown(), /Parley runs on .*; nothing was changed/);
  });

  it('takes a configuration that is there, and keeps its data directory when it lies elsewhere', async () => {
    const config = join(dir, 'etc/parley.yaml');
    await init({ ...flags, config }, terminal());
    assert.match(readFileSync(config, 'utf8'), /dataDir: "/);
    const { config: read } = commandContext({ config }, 'warn');
    assert.equal(read.dataDir, dataDir);
    assert.equal(existsSync(join(dataDir, 'keys/refresh.key')), true);
  });

  it('writes a template that still is a configuration when its comments are taken away', () => {
    const file = join(dir, 'template.yaml');
    const text = configTemplate({ domains: ['a.example'], profile: 'regulated', dataDir: '/srv/parley' });
    writeFileSync(file, text.replaceAll(/^# (?=[a-zA-Z]+:| )/gm, ''));
    const config = loadConfig(parleyConfigSchema, { file });
    assert.equal(config.public.host, '0.0.0.0');
    assert.equal(config.public.tls.certFile, '/etc/parley/tls/parley.pem');
    assert.equal(config.log.level, 'info');
  });
});
