import { Worker } from 'node:worker_threads';

/** Keeps the write-ahead log short without the main thread waiting for the copying. */
export interface Checkpointer {
  /** Copies what is in the log now; does nothing while that is under way. */
  run(): void;
  close(): Promise<void>;
}

/** Settings of {@link startCheckpointer}. */
export interface CheckpointerOptions {
  readonly path: string;
  /** The log had so many pages and is copied, but for what was written meanwhile: a moment to finish it. */
  readonly copied: (pages: number) => void;
  readonly failed: (message: string) => void;
}

/** Starts the thread at the first run. */
export function startCheckpointer({ path, copied, failed }: CheckpointerOptions): Checkpointer {
  let worker: Worker | undefined;
  let running = false;
  let closed = false;

  function start(): Worker {
    const started = new Worker(new URL('./checkpoint-worker.ts', import.meta.url), { workerData: { path } });
    started.unref();
    started.on('message', (answer: { readonly pages?: number; readonly error?: string }) => {
      running = false;
      if (closed) return;
      if (answer.error === undefined) copied(answer.pages ?? 0);
      else failed(answer.error);
    });
    started.on('error', error => {
      running = false;
      worker = undefined;
      failed(error.message);
    });
    return started;
  }

  return {
    run() {
      if (running || closed) return;
      running = true;
      worker ??= start();
      worker.postMessage('checkpoint');
    },
    async close() {
      closed = true;
      await worker?.terminate();
    },
  };
}
