import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type SignedCheckpoint } from '../../domain/checkpoint.ts';
import { chainId, parseChain } from '../../domain/place.ts';
import type { CheckpointCopy } from '../../ports/checkpoint-copy.ts';

const ENDING = '.jsonl';
const TAIL_BYTES = 8_192;

/**
 * Keeps checkpoints as lines of JSON, one file a chain, in a directory that only archiving can write to: another volume
 * or another machine than the database. All replicas of archiving must see the same directory.
 */
export function createCheckpointCopy(dir: string): CheckpointCopy {
  const pathOf = (chain: string) => join(dir, `${chain.replaceAll('/', '_')}${ENDING}`);

  return {
    async append(chain, checkpoint) {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const file = await open(pathOf(chain), 'a+', 0o600);
      try {
        // A line that a crash cut short is ended, so that it spoils no other.
        const separator = (await endsInLine(file)) ? '' : '\n';
        await file.appendFile(`${separator}${JSON.stringify(checkpoint)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await syncDirectory(dir);
    },
    async last(chain) {
      const file = await openToRead(pathOf(chain));
      if (!file) return undefined;
      try {
        const { size } = await file.stat();
        const tail = await readAt(file, Math.max(0, size - TAIL_BYTES), size);
        const lines = tail.toString('utf8').split('\n');
        const found = lines.flatMap(line => parse(chain, line) ?? []);
        // Not simply the last line: that of a replica that was held up comes late.
        return found.sort((a, b) => a.next - b.next).at(-1);
      } finally {
        await file.close();
      }
    },
    async *read(chain) {
      const file = await openToRead(pathOf(chain));
      if (!file) return;
      try {
        for await (const line of file.readLines()) {
          const checkpoint = parse(chain, line);
          if (checkpoint) yield checkpoint;
        }
      } finally {
        await file.close();
      }
    },
    async chains() {
      const names = await readdir(dir).catch(whenMissing<string[]>([]));
      const chains = names.filter(name => name.endsWith(ENDING)).map(name => chainOf(name.slice(0, -ENDING.length)));
      return chains.filter(chain => parseChain(chain) !== undefined).sort();
    },
  };
}

/** Epoch and partition are digits at the ends; the topic between them may hold anything but a slash. */
function chainOf(name: string): string {
  const match = /^(\d+)_(.+)_(\d+)$/.exec(name);
  return match ? `${match[1]}/${match[2]}/${match[3]}` : '';
}

function parse(chain: string, line: string): SignedCheckpoint | undefined {
  try {
    const found = JSON.parse(line) as SignedCheckpoint;
    const numbers = [found.epoch, found.partition, found.first, found.next, found.atMs];
    const texts = [found.topic, found.hash, found.keyId, found.signature];
    const wellFormed = numbers.every(Number.isSafeInteger) && texts.every(text => typeof text === 'string');
    return wellFormed && chainId(found) === chain ? found : undefined;
  } catch {
    return undefined;
  }
}

async function endsInLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  return size === 0 || (await readAt(file, size - 1, size)).toString() === '\n';
}

async function readAt(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
  return buffer.subarray(0, bytesRead);
}

async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const openToRead = (path: string) => open(path, 'r').catch(whenMissing<undefined>(undefined));

const whenMissing =
  <T>(value: T) =>
  (error: unknown): T => {
    if ((error as { code?: unknown }).code === 'ENOENT') return value;
    throw error;
  };
