import { createServer } from 'node:net';

/**
 * Below the range from which the kernel takes the ports of outgoing connections: a process that was killed finds its
 * port free when it starts again.
 * They begin above the last port that `fetch` and browsers refuse to call (10080, https://fetch.spec.whatwg.org/#port-blocking).
 */
const FROM = 10_100;
const SLICES = 100;
const SLICE = 50;

/** Ports of slices that are this process's own, not given out yet. */
const own: number[] = [];

/**
 * `n` different ports of the loopback interface that nobody listens on now. No other test process gets them as long as
 * this one lives, whether anybody listens on them yet or not.
 */
export async function freePorts(n: number): Promise<number[]> {
  const found: number[] = [];
  while (found.length < n) {
    const port = own.pop();
    if (port === undefined) own.push(...(await claimSlice()));
    else if (await isFree(port)) found.push(port);
  }
  return found;
}

/** Listens on the first port of a slice, which keeps the others of it for this process; it is free again at its end. */
async function claimSlice(): Promise<number[]> {
  const start = Math.floor(Math.random() * SLICES);
  for (let i = 0; i < SLICES; i++) {
    const first = FROM + ((start + i) % SLICES) * SLICE;
    if (await isFree(first, true)) return Array.from({ length: SLICE - 1 }, (_, k) => first + SLICE - 1 - k);
  }
  throw new Error(`no free ports between ${FROM} and ${FROM + SLICES * SLICE}`);
}

function isFree(port: number, keep = false): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      if (!keep) return void server.close(() => resolve(true));
      server.unref();
      resolve(true);
    });
  });
}
