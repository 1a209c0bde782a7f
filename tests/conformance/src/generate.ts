/**
 * Generates src/gen from proto/: the contract between connectconformance and the servers it tests, see README.md.
 * `--check` changes nothing and fails when the two differ.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const here = resolve(import.meta.dirname, '..');
const root = resolve(here, '../..');
const bin = join(root, 'node_modules/.bin');
const generated = join(here, 'src/gen');

const template = {
  version: 'v2',
  clean: true,
  plugins: [
    {
      local: join(bin, 'protoc-gen-es'),
      out: 'gen',
      opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true'],
    },
  ],
};

function contents(dir: string): Map<string, string> {
  return new Map(globSync('**/*.ts', { cwd: dir }).map(path => [path, readFileSync(join(dir, path), 'utf8')]));
}

// One folder with both trees: ours says who may call a method.
const scratch = mkdtempSync(join(tmpdir(), 'parley-conformance-'));
try {
  cpSync(join(here, 'proto'), scratch, { recursive: true });
  cpSync(join(root, 'proto/parley/common'), join(scratch, 'parley/common'), { recursive: true });
  writeFileSync(join(scratch, 'buf.yaml'), 'version: v2\n');
  writeFileSync(join(scratch, 'buf.gen.yaml'), JSON.stringify(template));
  execFileSync(join(bin, 'buf'), ['generate', '--path', 'connectrpc'], { cwd: scratch, stdio: 'inherit' });
  const fresh = join(scratch, 'gen');
  const file = join(fresh, 'connectrpc/conformance/v1/service_pb.ts');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('../../../parley/common/v1/access_pb.ts', '@parley/contracts/common/v1/access'));
  if (!process.argv.includes('--check')) {
    rmSync(generated, { recursive: true, force: true });
    cpSync(fresh, generated, { recursive: true });
  } else if (JSON.stringify([...contents(fresh)]) !== JSON.stringify([...contents(generated)])) {
    console.error(
      'tests/conformance/src/gen differs from its proto files: sh tools/node.sh tests/conformance/src/generate.ts',
    );
    process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
