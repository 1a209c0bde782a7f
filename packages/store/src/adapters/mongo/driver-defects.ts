import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { MongoClient } from 'mongodb';

/** What we use of the driver's `Connection`, which it does not export. */
export interface DriverConnection {
  readonly socket: Socket;
  readonly closed: boolean;
  /** Ends everything under way with this error. */
  cleanup(error: Error): void;
}

/** The class, with the prototype that all connections of this process share. */
export const DriverConnection = (
  createRequire(import.meta.url)('mongodb/lib/cmap/connection.js') as {
    readonly Connection: { readonly prototype: DriverConnection };
  }
).Connection;

let mended = false;

/** Mends what mongodb 7.8.0 does wrong, once for the process; to be called before a client is made. */
export function mendDriver(): void {
  if (mended) return;
  endWrites(DriverConnection.prototype);
  mended = true;
}

/**
 * A request that is written between the end of its socket and the news of it waits for room in the socket's buffer, for
 * ever: a socket that is gone has neither room nor errors. When it was the driver's own sign of life, that server was
 * never looked for again.
 */
function endWrites(connection: DriverConnection): void {
  const { cleanup } = connection;
  if (typeof cleanup !== 'function') throw new Error('this version of mongodb is not the one that was examined');
  connection.cleanup = function (this: DriverConnection, error) {
    if (this.closed) return;
    cleanup.call(this, error);
    this.socket.write = () => {
      throw error;
    };
    if (this.socket.listenerCount('drain') > 0) this.socket.emit('error', error);
  };
}

/**
 * The driver looks ten times a second whether its pool holds as many connections as it should at least. It takes no
 * setting for that in its public options, and every idle process would pay for it.
 */
export function calm({ options }: MongoClient): void {
  (options as { minPoolSizeCheckFrequencyMS?: number }).minPoolSizeCheckFrequencyMS = 10_000;
}
