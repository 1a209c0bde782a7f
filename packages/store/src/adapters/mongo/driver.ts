import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { MongoClient, type MongoClientOptions } from 'mongodb';

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

endWrites(DriverConnection.prototype);

/** A client of mongodb 7.8.0 without what that does wrong. Opens nothing yet. */
export function createMongoClient(url: string, options: MongoClientOptions): MongoClient {
  const client = new MongoClient(url, options);
  calm(client);
  return client;
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
function calm({ options }: MongoClient): void {
  (options as { minPoolSizeCheckFrequencyMS?: number }).minPoolSizeCheckFrequencyMS = 10_000;
}
