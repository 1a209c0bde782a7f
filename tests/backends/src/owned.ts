/** A run together with its servers: whoever opens it gets them all stopped, whichever way this process ends. */
import { openRun, type Run } from './run.ts';
import type { Server } from './server.ts';
import type { Log } from './tools.ts';

/** How a run ended: after `failed` its folder stays for reading. */
export type Outcome = 'clean' | 'failed';

/** An open run and the servers in it. */
export interface OwnedRun {
  readonly run: Run;
  /** Puts a server under the run's care. */
  add(server: Server): void;
  /** Runs `body`; when it throws, kills all servers, keeps the folder and adds its path to the error. */
  guard<T>(body: () => Promise<T>): Promise<T>;
  /** Stops all servers and closes the run; more calls do nothing. */
  stop(outcome?: Outcome): Promise<void>;
}

const open = new Set<(outcome: Outcome) => void>();
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Opens a run. `dir` is a folder of the caller's whose data outlives the run. */
export async function openOwnedRun(ports: readonly string[], log: Log, dir?: string): Promise<OwnedRun> {
  const run = await openRun(ports, log, dir);
  const servers: Server[] = [];
  let closed: Promise<void> | undefined;

  const now = (outcome: Outcome): void => {
    for (const server of servers) server.killNow();
    run.close(outcome);
  };
  const close = async (outcome: Outcome): Promise<void> => {
    // Data that is thrown away needs no orderly end.
    const orderly = dir !== undefined && outcome === 'clean';
    const results = await Promise.allSettled(servers.map(server => (orderly ? server.stop() : server.kill())));
    open.delete(now);
    run.close(outcome);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  };
  const stop = (outcome: Outcome = 'clean'): Promise<void> => (closed ??= close(outcome));

  watchExit();
  open.add(now);
  return {
    run,
    stop,
    add: server => void servers.push(server),
    async guard(body) {
      try {
        return await body();
      } catch (error) {
        await stop('failed');
        log(`kept for reading: ${run.dir}`);
        throw error;
      }
    },
  };
}

function killAllNow(outcome: Outcome): void {
  for (const now of open) now(outcome);
  open.clear();
}

let watching = false;

/** `exit` covers every end but a signal; a signal nobody else handles is handled here and then takes its course. */
function watchExit(): void {
  if (watching) return;
  watching = true;
  process.on('exit', code => killAllNow(code === 0 ? 'clean' : 'failed'));
  for (const signal of SIGNALS) {
    const handler = (): void => {
      if (process.listenerCount(signal) > 1) return;
      killAllNow('clean');
      process.off(signal, handler);
      process.kill(process.pid, signal);
    };
    process.on(signal, handler);
  }
}
