import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { type ConfigSources, describeConfig, loadConfig } from './load-config.ts';

const dir = mkdtempSync(join(tmpdir(), 'parley-config-'));
after(() => rmSync(dir, { recursive: true }));

const schema = z.strictObject({
  dataDir: z.string().default('data').describe('Where data is.'),
  im: z
    .strictObject({
      maxTextChars: z.int().min(1).max(8000).default(8000).describe('Longest text, 1 to 8,000 characters.'),
      ratio: z.number().default(0.5),
      strict: z.boolean().default(true),
    })
    .refine(im => im.ratio < im.maxTextChars, { path: ['ratio'], message: 'must be less than maxTextChars' })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info']).default('info') }).prefault({}),
  brokers: z.array(z.string()).default(['127.0.0.1:9092']),
  ports: z.array(z.int()).default([]),
  labels: z.record(z.string(), z.string()).default({}),
  mail: z.strictObject({ password: z.string().optional(), keyFile: z.string().default('') }).prefault({}),
});

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

function problems(sources: ConfigSources): [path: string, source: string, message: string][] {
  try {
    loadConfig(schema, sources);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(p => [p.path, p.source.replace(dir, ''), p.message]);
  }
  return assert.fail('nothing was refused');
}

describe('a configuration', () => {
  it('is made of defaults when nothing is given', () => {
    assert.deepEqual(loadConfig(schema), {
      dataDir: 'data',
      im: { maxTextChars: 8000, ratio: 0.5, strict: true },
      log: { level: 'info' },
      brokers: ['127.0.0.1:9092'],
      ports: [],
      labels: {},
      mail: { keyFile: '' },
    });
  });

  it('takes the file, over it the environment, over it the options of the command', () => {
    const config = loadConfig(schema, {
      file: file('a.yaml', 'dataDir: /a\nim:\n  maxTextChars: 10\n  ratio: 1.5\nlabels: { a: b }\nlog:\n'),
      env: { PARLEY_IM_MAX_TEXT_CHARS: '20', PARLEY_DATA_DIR: '/b', PARLEY_IM_STRICT: 'no', HOME: '/x' },
      overrides: { dataDir: '/c', log: { level: undefined } },
    });
    assert.equal(config.dataDir, '/c');
    assert.deepEqual(config.im, { maxTextChars: 20, ratio: 1.5, strict: false });
    assert.deepEqual(config.labels, { a: 'b' });
  });

  it('reads lists separated by commas, or as JSON, and maps as JSON', () => {
    const env = { PARLEY_BROKERS: 'a:1, b:2', PARLEY_PORTS: '[1,2]', PARLEY_LABELS: '{"x":"y"}' };
    const config = loadConfig(schema, { env });
    assert.deepEqual([config.brokers, config.ports, config.labels], [['a:1', 'b:2'], [1, 2], { x: 'y' }]);
    assert.deepEqual(loadConfig(schema, { env: { PARLEY_PORTS: '3,4', PARLEY_BROKERS: '' } }).ports, [3, 4]);
  });

  it('reports everything that is wrong at once, with path and source', () => {
    const found = problems({
      file: file('b.yaml', 'im:\n  maxTextChar: 10\n  ratio: high\nlog:\n  level: loud\nnew: 1\nbrokers: [1]\n'),
      env: {
        PARLEY_IM_MAX_TEXT_CHARS: '9000',
        PARLEY_IM_STRICT: 'perhaps',
        PARLEY_LOG_LEVLE: 'info',
        PARLEY_PORTS: '1,x',
      },
      overrides: { dataDirectory: 'x' },
    });
    assert.deepEqual(
      found.map(([path, source]) => [path, source]),
      [
        ['PARLEY_LOG_LEVLE', 'environment'],
        ['brokers.0', '/b.yaml:7'],
        ['dataDirectory', 'option'],
        ['im.maxTextChar', '/b.yaml:2'],
        ['im.maxTextChars', 'PARLEY_IM_MAX_TEXT_CHARS'],
        ['im.ratio', '/b.yaml:3'],
        ['im.strict', 'PARLEY_IM_STRICT'],
        ['log.level', '/b.yaml:5'],
        ['new', '/b.yaml:6'],
        ['ports', 'PARLEY_PORTS'],
      ],
    );
    const text = (path: string) => found.find(p => p[0] === path)?.[2] ?? '';
    assert.match(text('PARLEY_LOG_LEVLE'), /did you mean PARLEY_LOG_LEVEL\?/);
    assert.match(text('im.maxTextChar'), /did you mean im\.maxTextChars\?/);
    assert.match(text('im.strict'), /neither true nor false/);
  });

  it('checks what only several settings together can break', () => {
    const found = problems({ env: { PARLEY_IM_RATIO: '9', PARLEY_IM_MAX_TEXT_CHARS: '5' } });
    assert.deepEqual(found, [['im.ratio', 'PARLEY_IM_RATIO', 'must be less than maxTextChars']]);
  });

  it('never quotes values, which may be secret', () => {
    const secret = 'correct-horse';
    const found = problems({ env: { PARLEY_LOG_LEVEL: secret, PARLEY_IM_RATIO: secret, PARLEY_LABELS: secret } });
    assert.equal(found.length, 3);
    assert.ok(!JSON.stringify(found).includes(secret));
  });

  it('takes secrets from files that the environment or the YAML file names', () => {
    const named = file('secret', 'hunter2\n');
    assert.equal(loadConfig(schema, { env: { PARLEY_MAIL_PASSWORD_FILE: named } }).mail.password, 'hunter2');
    const yaml = file('c.yaml', 'mail:\n  passwordFile: secret\n');
    assert.equal(loadConfig(schema, { file: yaml }).mail.password, 'hunter2');
  });

  it('refuses a secret that is given twice or whose file is not there', () => {
    const twice = problems({ env: { PARLEY_MAIL_PASSWORD: 'a', PARLEY_MAIL_PASSWORD_FILE: '/x' } });
    assert.deepEqual(
      twice.map(p => p[0]),
      ['mail.password'],
    );
    const missing = problems({ env: { PARLEY_MAIL_PASSWORD_FILE: join(dir, 'nowhere') } });
    assert.match(missing[0]?.[2] ?? '', /ENOENT/);
  });

  it('reads a setting that itself ends in File as what it is', () => {
    assert.equal(loadConfig(schema, { env: { PARLEY_MAIL_KEY_FILE: '/etc/key' } }).mail.keyFile, '/etc/key');
  });

  it('refuses files that are missing, broken, or say something twice', () => {
    assert.match(problems({ file: join(dir, 'none.yaml') })[0]?.[2] ?? '', /ENOENT/);
    assert.equal(problems({ file: file('d.yaml', 'im: [') })[0]?.[0], join(dir, 'd.yaml'));
    assert.equal(problems({ file: file('e.yaml', 'dataDir: a\ndataDir: b\n') })[0]?.[1], '/e.yaml:2');
    assert.equal(problems({ file: file('f.yaml', '- 1\n') })[0]?.[2], 'must be a mapping of sections');
    assert.equal(problems({ file: file('g.yaml', 'im: 3\n') })[0]?.[0], 'im');
  });

  it('lets through variables that are known to be something else', () => {
    const env = { PARLEY_TEST_X: '1', PARLEY_NODE: '2' };
    assert.equal(loadConfig(schema, { env, allow: [/^PARLEY_TEST_/, 'PARLEY_NODE'] }).dataDir, 'data');
    assert.equal(problems({ env }).length, 2);
  });
});

describe('the description of a configuration', () => {
  it('has a row for every setting', () => {
    const rows = describeConfig(schema);
    assert.equal(rows.length, 10);
    assert.deepEqual(rows[1], {
      path: 'im.maxTextChars',
      env: 'PARLEY_IM_MAX_TEXT_CHARS',
      type: 'integer',
      default: '8000',
      required: false,
      description: 'Longest text, 1 to 8,000 characters.',
    });
    assert.deepEqual(
      rows.map(row => row.type),
      [
        'string',
        'integer',
        'number',
        'boolean',
        'one of debug, info',
        'list of string',
        'list of integer',
        'map to string',
        'string',
        'string',
      ],
    );
  });

  it('is refused for settings that share an environment name', () => {
    const clash = z.strictObject({ a: z.strictObject({ bC: z.string() }), aB: z.strictObject({ c: z.string() }) });
    assert.throws(() => describeConfig(clash), /PARLEY_A_B_C/);
  });
});
