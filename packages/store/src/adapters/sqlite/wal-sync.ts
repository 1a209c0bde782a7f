import { close, closeSync, fdatasync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes the write-ahead log of an open database durable without blocking the thread. */
export interface WalSync {
  /** Resolves when everything committed before the call would survive a power cut. */
  sync(): Promise<void>;
  close(): void;
}

/**
 * fdatasync(2) flushes the dirty pages of a file, whoever wrote them and through whichever descriptor: with
 * `synchronous=NORMAL` SQLite writes commits to the log without waiting, and this waits in libuv's thread pool instead.
 * The log exists from the first write until the last connection closes, and is never replaced meanwhile.
 */
export function openWalSync(databasePath: string): WalSync {
  let fd: number | undefined;
  const open = (): number => {
    if (fd !== undefined) return fd;
    const directory = openSync(dirname(databasePath), 'r');
    try {
      fsyncSync(directory); // the name of a new log must be durable too
    } finally {
      closeSync(directory);
    }
    return (fd = openSync(`${databasePath}-wal`, 'r'));
  };
  return {
    sync: () =>
      new Promise((resolve, reject) => {
        fdatasync(open(), error => (error ? reject(error) : resolve()));
      }),
    close() {
      if (fd !== undefined) close(fd);
      fd = undefined;
    },
  };
}
