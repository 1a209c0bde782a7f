import { type Argon2Parameters, argon2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Clock, Ids } from '@parley/runtime';
import { formatHash, type HashCost, parseHash, sameCost } from '../../domain/password.ts';
import { directoryErrors as err } from '../../errors.ts';
import type { DirectoryEvents } from '../../events.ts';
import type { PasswordHasher } from '../../ports/password-hasher.ts';

export interface HasherOptions {
  readonly cost: HashCost;
  readonly concurrency: number;
  readonly queue: number;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly events: Pick<DirectoryEvents, 'passwordHashed' | 'hashesWaiting'>;
}

const derive = promisify(argon2) as (algorithm: 'argon2id', parameters: Argon2Parameters) => Promise<Buffer>;
const saltBytes = 16;
const hashBytes = 32;

/** argon2id of node:crypto, off the event loop; what is beyond `concurrency` waits in a bounded queue. */
export function createPasswordHasher(options: HasherOptions): PasswordHasher {
  const { cost, clock, events } = options;
  const turns = createTurns(options);
  // Nobody knows a password for it: its hash is random.
  const dummy = { cost, salt: options.ids.bytes(saltBytes), hash: options.ids.bytes(hashBytes) };

  async function run(password: string, at: HashCost, salt: Uint8Array, length: number): Promise<Buffer> {
    const started = clock.monotonic();
    const hash = await derive('argon2id', {
      message: Buffer.from(password, 'utf8'),
      nonce: salt,
      memory: at.memoryKiB,
      passes: at.passes,
      parallelism: at.parallelism,
      tagLength: length,
    });
    const took = clock.monotonic() - started;
    turns.took(took);
    events.passwordHashed(took / 1000);
    return hash;
  }

  return {
    hash: (password, signal) =>
      turns.inTurn(signal, async () => {
        const salt = options.ids.bytes(saltBytes);
        return formatHash({ cost, salt, hash: await run(password, cost, salt, hashBytes) });
      }),
    verify: (password, stored, signal) =>
      turns.inTurn(signal, async () => {
        const known = stored ? parseHash(stored) : undefined;
        const against = known ?? dummy;
        const hash = await run(password, against.cost, against.salt, against.hash.length);
        return timingSafeEqual(hash, against.hash) && known !== undefined;
      }),
    isOutdated(stored) {
      const known = parseHash(stored);
      return known === undefined || !sameCost(known.cost, cost) || known.hash.length !== hashBytes;
    },
  };
}

/** Lets `concurrency` run, `queue` wait, and refuses the rest with the time it will take until there is room. */
function createTurns({ concurrency, queue, events }: HasherOptions) {
  const waiting = new Set<() => void>();
  let running = 0;
  let averageMs = 50;

  function release(): void {
    running--;
    const [next] = waiting;
    if (!next) return;
    waiting.delete(next);
    events.hashesWaiting(waiting.size);
    next();
  }

  function turn(signal: AbortSignal | undefined): Promise<void> | undefined {
    signal?.throwIfAborted();
    if (running < concurrency) {
      running++;
      return undefined;
    }
    if (waiting.size >= queue) {
      const retryAfterMs = Math.ceil((averageMs * (waiting.size + 1)) / concurrency);
      throw err('directory.sign_in_busy', { retryAfterMs });
    }
    return new Promise((resolve, reject) => {
      const next = () => {
        running++;
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        waiting.delete(next);
        events.hashesWaiting(waiting.size);
        reject(signal?.reason as Error);
      };
      waiting.add(next);
      events.hashesWaiting(waiting.size);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  return {
    async inTurn<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
      await turn(signal);
      try {
        return await work();
      } finally {
        release();
      }
    },
    took(ms: number): void {
      averageMs += (ms - averageMs) / 8;
    },
  };
}
