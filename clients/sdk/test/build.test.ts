import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import * as sources from '@parley/client';

const root = resolve(import.meta.dirname, '../../..');
const run = (file: string, ...args: string[]) =>
  execFileSync(process.execPath, [resolve(root, 'node_modules', file), ...args], {
    cwd: resolve(import.meta.dirname, '..'),
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', CI: '1' },
  });

describe('the built package', () => {
  let dir = '';
  before(() => {
    // below the checkout, so that its dependencies are found
    const dist = resolve(import.meta.dirname, '../dist');
    mkdirSync(dist, { recursive: true });
    dir = mkdtempSync(join(dist, 'test-'));
    run('tsdown/dist/run.mjs', '--out-dir', dir, '--log-level', 'error');
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it('exports what the sources export', async () => {
    const built = (await import(pathToFileURL(join(dir, 'index.js')).href)) as Record<string, unknown>;
    assert.deepEqual(Object.keys(built).sort(), Object.keys(sources).sort());
  });

  it('imports only what its package.json declares', () => {
    const { dependencies } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const file of ['index.js', 'index.d.ts']) {
      const text = readFileSync(join(dir, file), 'utf8');
      const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*["']([^"'.][^"']*)["']/g)].map(m => m[1] as string);
      assert.ok(specifiers.length > 0, file);
      for (const specifier of specifiers) {
        const name = specifier.split('/').slice(0, 2).join('/');
        assert.ok(name in dependencies, `${file} imports ${specifier}`);
      }
    }
  });

  it('has types that a strict application compiles against', () => {
    const example = readFileSync(join(import.meta.dirname, 'readme-example.ts'), 'utf8');
    writeFileSync(join(dir, 'app.ts'), example.replace("'@parley/client'", "'./index.js'"));
    const options = {
      strict: true,
      noEmit: true,
      target: 'es2022',
      module: 'nodenext',
      lib: ['es2022', 'dom'],
      types: [],
    };
    const tsconfig = join(dir, 'tsconfig.json');
    writeFileSync(
      tsconfig,
      JSON.stringify({ compilerOptions: { ...options, skipLibCheck: false }, files: ['app.ts'] }),
    );
    assert.equal(run('typescript/bin/tsc', '-p', tsconfig), '');
  });
});
