import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { newSigner, signedExport } from '../../test/fake-archive.ts';
import { configHome } from '../../test/io.ts';
import { verifyExport } from './verify-export.ts';

const DAY_5 = 'records/2026-01-05.jsonl';
const FILES = { [DAY_5]: '{"a":1}\n{"b":2}\n', 'records/2026-01-06.jsonl': '{"c":"會議"}\n' };

/** An export on disk. */
function made(t: TestContext, exported = signedExport(FILES)) {
  const dir = join(configHome(t), 'export');
  for (const [path, bytes] of exported.files) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), bytes);
  }
  const check = (expectedKeyId?: string) => verifyExport(dir, { expectedKeyId, signal: new AbortController().signal });
  const problems = async () => (await check()).problems.join('; ');
  return { dir, exported, check, problems };
}

describe('a check of an export', () => {
  it('finds nothing wrong with one that is as it was made, and says whose key signed it', async t => {
    const { check, exported } = made(t);
    const { signer } = exported;
    const verdict = await check(signer.keyId);
    assert.deepEqual(
      [verdict.intact, verdict.problems, verdict.keyId, verdict.trusted],
      [true, [], signer.keyId, true],
    );
    assert.equal(verdict.manifest?.records, 3);
    assert.equal((await check()).trusted, undefined);
  });

  it('finds a byte that was changed, added or taken away', async t => {
    const { dir, exported, problems } = made(t);
    const path = join(dir, DAY_5);
    const bytes = exported.files.get(DAY_5) as Buffer;
    writeFileSync(path, Buffer.from(bytes.toString().replace('1', '7')));
    assert.match(await problems(), /2026-01-05\.jsonl was changed/);
    writeFileSync(path, bytes);
    appendFileSync(path, '\n');
    assert.match(await problems(), /has 17 bytes, the manifest says 16/);
    writeFileSync(path, bytes.subarray(0, 8));
    assert.match(await problems(), /does not hold the 2 records/);
    writeFileSync(path, bytes);
    assert.equal(await problems(), '');
  });

  it('finds a file that was removed, added or renamed', async t => {
    const { dir, exported, problems } = made(t);
    rmSync(join(dir, DAY_5));
    assert.equal(await problems(), `${DAY_5} is missing`);
    writeFileSync(join(dir, DAY_5), exported.files.get(DAY_5) as Buffer);
    mkdirSync(join(dir, 'deep/er'), { recursive: true });
    writeFileSync(join(dir, 'deep/er/note.txt'), 'hello');
    assert.equal(await problems(), 'deep/er/note.txt is not part of the export');
    renameSync(join(dir, 'deep'), join(dir, '..', 'elsewhere'));
    symlinkSync('/etc/hostname', join(dir, 'link'));
    assert.equal(await problems(), 'link is not part of the export');
    rmSync(join(dir, 'link'));
    renameSync(join(dir, DAY_5), join(dir, '..', 'moved'));
    symlinkSync(join(dir, '..', 'moved'), join(dir, DAY_5));
    assert.match(await problems(), /2026-01-05\.jsonl is not a plain file/);
  });

  it('finds a manifest that was changed, exchanged or signed by somebody else', async t => {
    const { dir, check, exported, problems } = made(t);
    const manifest = join(dir, 'manifest.json');
    writeFileSync(manifest, exported.manifest.toString().replace('HR-2026-014', 'HR-2026-015'));
    assert.match(await problems(), /the signature is not over this manifest/);
    const other = signedExport({ [DAY_5]: '{"a":1}\n{"b":2}\n' }, exported.signer);
    writeFileSync(manifest, other.manifest);
    assert.match(await problems(), /not over this manifest.*2026-01-06\.jsonl is not part/);
    const forged = signedExport({ ...FILES, [DAY_5]: '{"a":9}\n{"b":2}\n' }, newSigner());
    for (const [path, bytes] of forged.files) writeFileSync(join(dir, path), bytes);
    assert.equal(await problems(), '');
    const verdict = await check(exported.signer.keyId);
    assert.deepEqual([verdict.intact, verdict.trusted], [false, false]);
    assert.match(verdict.problems[0] ?? '', /signed by key .*, not by/);
  });

  it('finds a signature that is missing, of another kind or names another key', async t => {
    const { dir, exported, check, problems } = made(t);
    const path = join(dir, 'manifest.sig');
    const signature = JSON.parse(String(exported.files.get('manifest.sig'))) as Record<string, string>;
    for (const [change, finding] of [
      [{ algorithm: 'none' }, /of a kind that is not known/],
      [{ key_id: newSigner().keyId }, /names another key/],
      [{ public_key: 'x' }, /cannot be read/],
      [{ signature: '' }, /not over this manifest/],
      [{ public_key: newSigner().publicPem }, /names another key/],
    ] as const) {
      writeFileSync(path, JSON.stringify({ ...signature, ...change }));
      assert.match(await problems(), finding);
    }
    writeFileSync(path, 'nonsense');
    assert.match(await problems(), /cannot be read/);
    rmSync(path);
    const verdict = await check(exported.signer.keyId);
    assert.deepEqual(verdict.problems, ['manifest.sig is missing']);
    assert.deepEqual([verdict.keyId, verdict.trusted], [undefined, undefined]);
  });

  it('finds counts that do not agree, and a manifest that leads out of the directory', async t => {
    const miscounted = made(t, signedExport(FILES, newSigner(), { counts: { records: 9 } }));
    assert.equal(await miscounted.problems(), 'the files hold 3 records, the manifest says 9');
    const file = { path: '../../etc/hostname', size: 1, sha256: 'a'.repeat(64), records: 3 };
    const { exported } = miscounted;
    const escaping = signedExport({}, exported.signer, { files: [file], counts: { records: 3 } });
    const { problems } = made(t, escaping);
    assert.match(await problems(), /names "\.\.\/\.\.\/etc\/hostname", which is no path/);
    for (const bad of ['nonsense', '{}', '[]', JSON.stringify({ manifest: 'parley.archive.export' })]) {
      const { dir, problems: found } = made(t);
      writeFileSync(join(dir, 'manifest.json'), bad);
      assert.match(await found(), /manifest\.json cannot be read/);
    }
  });
});
