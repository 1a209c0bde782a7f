import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What happens to a request that holds the armed text. */
export type Fault = 'cut-before' | 'cut-after' | 'mute';

/** A TCP proxy that fails on demand. */
export interface Proxy {
  readonly port: number;
  /** From now on, requests that hold `command` are cut before or after the server saw them, or never answered. */
  arm(command: string, fault: Fault): void;
  disarm(): void;
  /** Cuts all connections and accepts none until `resume`. */
  refuse(): void;
  resume(): void;
  /** Requests seen that hold `command`. */
  count(command: string): number;
  close(): Promise<void>;
}

/** Starts a proxy in front of a server on this machine. */
export async function startProxy(target: { readonly host: string; readonly port: number }): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const seen: Buffer[] = [];
  let armed: { readonly command: string; readonly fault: Fault } | undefined;
  let refusing = false;

  const server = createServer(client => {
    if (refusing) return void client.destroy();
    const upstream = connect(target.port, target.host);
    let muted = false;
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    client.on('data', (data: Buffer) => {
      seen.push(data);
      const hit = armed && data.includes(name(armed.command)) ? armed.fault : undefined;
      if (hit === 'cut-before') return cut();
      if (hit) muted = true;
      if (hit === 'cut-after') upstream.once('data', cut);
      upstream.write(data);
    });
    upstream.on('data', (data: Buffer) => {
      if (!muted && !client.destroyed) client.write(data);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    arm: (command, fault) => void (armed = { command, fault }),
    disarm: () => void (armed = undefined),
    refuse() {
      refusing = true;
      end();
    },
    resume: () => void (refusing = false),
    count: command => seen.filter(data => data.includes(name(command))).length,
    async close() {
      end();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A command's name as the first field of its BSON: type, name, NUL. */
const name = (command: string): Buffer => Buffer.from(`\u0002${command}\0`);
