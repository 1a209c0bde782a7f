import { Code } from '@connectrpc/connect';
import { type MachineState, type ParleyClient, ParleyClientError } from '@parley/client';
import type { Cli } from './cli.ts';
import { lengthOf } from './output/time.ts';

/**
 * Opens the stream. Once it was open it comes back by itself; but a server that cannot be reached at the very first is
 * told at once, and one that is too busy when the time is up.
 */
export async function goOnline(cli: Cli, client: ParleyClient, machineState: MachineState): Promise<void> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), cli.options.timeout);
  let problem: ParleyClientError | undefined;
  const off = client.connection.subscribe(() => {
    const now = client.connection.getSnapshot();
    if (now.phase !== 'waiting') return;
    problem = now.error;
    if (now.error.code === 'client.network') giveUp.abort();
  });
  try {
    await client.connect({ machineState, signal: AbortSignal.any([giveUp.signal, cli.io.interrupted]) });
  } catch (error) {
    if (!giveUp.signal.aborted || cli.io.interrupted.aborted) throw error;
    throw problem ?? new ParleyClientError('client.deadline_exceeded', Code.DeadlineExceeded, 'no stream was opened');
  } finally {
    clearTimeout(timer);
    off();
  }
}

/** Tells people when the stream breaks and when it is back. Returns the function that ends the telling. */
export function tellConnection(cli: Cli, client: ParleyClient, tell = cli.print.note): () => void {
  let lost = false;
  return client.connection.subscribe(() => {
    const now = client.connection.getSnapshot();
    if (now.phase === 'waiting' && !lost) {
      lost = true;
      tell(`-- connection lost; trying again in ${lengthOf(now.retryAtMs - cli.io.now())}`);
    } else if (now.phase === 'online' && lost) {
      lost = false;
      tell('-- connected again');
    }
  });
}

/** Resolves when the person ends the command; rejects when the stream has ended for good. */
export function untilInterrupted(cli: Cli, client: ParleyClient): Promise<void> {
  const { interrupted } = cli.io;
  return new Promise((resolve, reject) => {
    const look = () => {
      const now = client.connection.getSnapshot();
      if (interrupted.aborted) done();
      else if (now.phase === 'ended') done(endedError(now));
    };
    const done = (error?: Error) => {
      off();
      interrupted.removeEventListener('abort', look);
      if (error) reject(error);
      else resolve();
    };
    const off = client.connection.subscribe(look);
    interrupted.addEventListener('abort', look);
    look();
  });
}

function endedError(ended: { readonly reason: string; readonly error?: ParleyClientError }): ParleyClientError {
  if (ended.error) return ended.error;
  if (ended.reason === 'signed-out')
    return new ParleyClientError('client.signed_out', Code.Unauthenticated, 'the sign-in was ended');
  return new ParleyClientError('client.ended', Code.Aborted, `the stream was ended: ${ended.reason}`);
}
