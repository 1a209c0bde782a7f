import { createServer } from 'node:net';

/**
 * Below the range from which the kernel takes the ports of outgoing connections: a process that was killed finds its
 * port free when it starts again.
 */
const FROM = 10_000;
const BEFORE = 15_000;

/** `n` different ports of the loopback interface that nobody listens on now. */
export async function freePorts(n: number): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < n; tries++) {
    if (tries > 10_000) throw new Error(`no ${n} free ports between ${FROM} and ${BEFORE}`);
    const port = FROM + Math.floor(Math.random() * (BEFORE - FROM));
    if (!given.has(port) && (await isFree(port))) {
      found.add(port);
      given.add(port);
    }
  }
  return [...found];
}

/** Given out by this process, to somebody who may not listen yet. */
const given = new Set<number>();

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
