/** Loopback ports: which are free, who answers. */
import { createServer, Socket } from 'node:net';

/** Everything listens on loopback only. */
export const HOST = '127.0.0.1';

/**
 * Ports are taken from below the kernel's ephemeral range (32768 and up). A server that is down for a moment must find
 * its port free again, and a client that keeps dialling a closed port inside that range can end up connected to itself.
 */
export const PORT_RANGE = { from: 15_000, to: 31_999 } as const;

/** True when nothing listens on the port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** `count` different free ports, none of them in `taken`. */
export async function freePorts(count: number, taken: ReadonlySet<number>): Promise<number[]> {
  const found = new Set<number>();
  for (let attempt = 0; found.size < count; attempt++) {
    if (attempt > 2000) throw new Error(`no ${count} free ports between ${PORT_RANGE.from} and ${PORT_RANGE.to}`);
    const port = PORT_RANGE.from + Math.floor(Math.random() * (PORT_RANGE.to - PORT_RANGE.from + 1));
    if (!taken.has(port) && !found.has(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}

/**
 * Connects, sends `request`, collects the answer until `done` says it is complete. Resolves to undefined when nobody
 * listens, the peer hangs up, or the time is over: for a health check those are all just "not yet".
 */
export function exchange(
  port: number,
  request: Uint8Array,
  done: (answer: Buffer) => boolean,
  timeoutMs = 2000,
): Promise<Buffer | undefined> {
  return new Promise(resolve => {
    const socket = new Socket();
    let answer = Buffer.alloc(0);
    const finish = (result: Buffer | undefined): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(timeoutMs, () => finish(undefined));
    socket.on('error', () => finish(undefined));
    socket.on('close', () => finish(undefined));
    socket.on('data', chunk => {
      answer = Buffer.concat([answer, chunk]);
      if (done(answer)) finish(answer);
    });
    socket.connect(port, HOST, () => {
      if (done(answer)) finish(answer);
      else socket.write(request);
    });
  });
}

/** True when the port accepts a connection. */
export async function accepts(port: number): Promise<boolean> {
  return (await exchange(port, new Uint8Array(), () => true)) !== undefined;
}
