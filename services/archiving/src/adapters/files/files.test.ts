import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { SignedCheckpoint } from '../../domain/checkpoint.ts';
import { chainId } from '../../domain/place.ts';
import { newKey } from '../../testing/world.ts';
import { createCheckpointCopy } from './checkpoint-copy.ts';
import { createCheckpointSigner } from './checkpoint-signer.ts';

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'parley-copy-'))));
afterEach(() => rmSync(dir, { recursive: true }));

const checkpoint = (next: number, partition = 0): SignedCheckpoint => ({
  ...{ epoch: 7, topic: 'archive_v2', partition, first: 0, next, hash: 'ab', atMs: next },
  ...{ keyId: 'k', signature: 's' },
});
const chain = (partition = 0) => chainId(checkpoint(0, partition));
async function all(of: string): Promise<SignedCheckpoint[]> {
  const found: SignedCheckpoint[] = [];
  for await (const one of createCheckpointCopy(dir).read(of)) found.push(one);
  return found;
}

describe('the second place of the checkpoints', () => {
  it('keeps them in order, chain by chain, over restarts, readable by its owner only', async () => {
    for (const next of [1, 2, 3]) await createCheckpointCopy(dir).append(chain(), checkpoint(next));
    await createCheckpointCopy(dir).append(chain(1), checkpoint(9, 1));
    const copy = createCheckpointCopy(dir);
    assert.deepEqual(
      await all(chain()),
      [1, 2, 3].map(next => checkpoint(next)),
    );
    assert.deepEqual(await copy.last(chain()), checkpoint(3));
    assert.deepEqual(await copy.chains(), [chain(), chain(1)]);
    for (const name of readdirSync(dir)) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600);
  });

  it('is empty before anything was written, even when the directory is missing', async () => {
    const copy = createCheckpointCopy(join(dir, 'later'));
    assert.deepEqual([await copy.last(chain()), await copy.chains(), await all(chain())], [undefined, [], []]);
    await copy.append(chain(), checkpoint(1));
    assert.deepEqual(await copy.last(chain()), checkpoint(1));
  });

  it('knows the one that reaches furthest, also when a line came late', async () => {
    const copy = createCheckpointCopy(dir);
    for (const next of [1, 3, 2]) await copy.append(chain(), checkpoint(next));
    assert.deepEqual(await copy.last(chain()), checkpoint(3));
  });

  it('loses nothing but a line that a crash cut short', async () => {
    const copy = createCheckpointCopy(dir);
    await copy.append(chain(), checkpoint(1));
    appendFileSync(join(dir, readdirSync(dir)[0] ?? ''), '{"epoch":7,"topic"');
    assert.deepEqual(await copy.last(chain()), checkpoint(1));
    await copy.append(chain(), checkpoint(2));
    assert.deepEqual(await all(chain()), [checkpoint(1), checkpoint(2)]);
  });

  it('takes no line for a checkpoint of another chain', async () => {
    const copy = createCheckpointCopy(dir);
    await copy.append(chain(), checkpoint(1));
    const file = join(dir, readdirSync(dir)[0] ?? '');
    for (const line of [
      'null',
      '[]',
      '{}',
      JSON.stringify(checkpoint(5, 1)),
      JSON.stringify({ ...checkpoint(5), next: '5' }),
    ])
      appendFileSync(file, `${line}\n`);
    assert.deepEqual(await all(chain()), [checkpoint(1)]);
  });
});

describe('the signer of checkpoints', () => {
  it('verifies its own signatures and those of earlier keys it was given, and nobody else’s', () => {
    const [old, now, other] = [newKey(), newKey(), newKey()];
    const before = createCheckpointSigner(old.privatePem);
    const signer = createCheckpointSigner(now.privatePem, [old.publicPem]);
    const stranger = createCheckpointSigner(other.privatePem);
    const bytes = Buffer.from('statement');
    for (const one of [before, signer]) assert.ok(signer.verify(one.keyId, bytes, one.sign(bytes)));
    assert.equal(signer.verify(stranger.keyId, bytes, stranger.sign(bytes)), false);
    assert.equal(signer.verify(signer.keyId, bytes, stranger.sign(bytes)), false);
    assert.equal(signer.verify(signer.keyId, Buffer.from('other'), signer.sign(bytes)), false);
    assert.equal(signer.verify(signer.keyId, bytes, Buffer.from('short')), false);
  });

  it('takes no other kind of key', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    assert.throws(() => createCheckpointSigner(pem), /Ed25519/);
  });
});
