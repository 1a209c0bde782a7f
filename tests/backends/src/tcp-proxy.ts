/** A TCP relay between one process and one server, so that the network between these two can be cut. */
import { createServer, Socket } from 'node:net';
import { HOST } from './net.ts';

/** A relay; whole at first. */
export interface TcpProxy {
  readonly port: number;
  /** Connections that are open through it now. */
  readonly connections: number;
  /** Resets every connection and refuses new ones. */
  cut(): void;
  /** Connections stay, new ones are accepted, and nothing passes in either direction. */
  blackHole(): void;
  /** Everything passes so many milliseconds later. */
  delay(ms: number): void;
  /** Passes on again; what stuck in a black hole goes on, too. */
  heal(): void;
  close(): Promise<void>;
}

type Mode = { readonly kind: 'open'; readonly delayMs: number } | { readonly kind: 'cut' } | { readonly kind: 'hole' };

/** Starts a relay to a loopback port. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  let mode: Mode = { kind: 'open', delayMs: 0 };
  const links = new Set<Link>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, near => {
    if (mode.kind === 'cut') return void near.resetAndDestroy();
    const far = new Socket({ allowHalfOpen: true });
    const link = new Link(near, far, () => links.delete(link));
    links.add(link);
    link.apply(mode);
    far.setNoDelay(true).connect({ port: targetPort, host: HOST });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, HOST, resolve);
  });
  server.unref();
  const become = (next: Mode) => {
    mode = next;
    for (const link of [...links]) link.apply(next);
  };
  return {
    port: (server.address() as { port: number }).port,
    get connections() {
      return links.size;
    },
    cut: () => become({ kind: 'cut' }),
    blackHole: () => become({ kind: 'hole' }),
    delay: ms => become({ kind: 'open', delayMs: ms }),
    heal: () => become({ kind: 'open', delayMs: 0 }),
    async close() {
      become({ kind: 'cut' });
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** Two sockets and what is on its way between them. */
class Link {
  readonly #sockets: readonly [Socket, Socket];
  readonly #ways: readonly Way[];

  constructor(near: Socket, far: Socket, gone: () => void) {
    this.#sockets = [near, far];
    this.#ways = [new Way(near, far), new Way(far, near)];
    for (const socket of this.#sockets) {
      socket.on('error', () => this.#reset());
      socket.on('close', () => near.destroyed && far.destroyed && gone());
    }
  }

  apply(mode: Mode): void {
    if (mode.kind === 'cut') this.#reset();
    else for (const way of this.#ways) way.apply(mode);
  }

  #reset(): void {
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy();
  }
}

/** One direction: what was read is written in the same order, however the delay changes meanwhile. */
class Way {
  readonly #from: Socket;
  readonly #to: Socket;
  #delayMs = 0;
  #held = false;
  #queue: { readonly dueMs: number; readonly go: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    from.on('data', chunk => this.#pass(() => !to.destroyed && !to.write(chunk) && from.pause()));
    from.on('end', () => this.#pass(() => to.end()));
    to.on('drain', () => !this.#held && from.resume());
  }

  apply(mode: Mode): void {
    this.#held = mode.kind === 'hole';
    this.#delayMs = mode.kind === 'open' ? mode.delayMs : 0;
    if (this.#held) this.#from.pause();
    else if (!this.#to.writableNeedDrain) this.#from.resume();
    this.#turn();
  }

  #pass(go: () => void): void {
    if (this.#delayMs === 0 && !this.#held && this.#queue.length === 0) return go();
    this.#queue.push({ dueMs: performance.now() + this.#delayMs, go });
    this.#turn();
  }

  #turn(): void {
    clearTimeout(this.#timer);
    while (!this.#held && this.#queue[0] && this.#queue[0].dueMs <= performance.now()) this.#queue.shift()?.go();
    const next = this.#queue[0];
    if (next && !this.#held) this.#timer = setTimeout(() => this.#turn(), Math.max(1, next.dueMs - performance.now()));
  }
}
