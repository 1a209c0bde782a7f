import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that are alive, and outside the heap, after garbage collection. */
export async function alive(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    collect();
    await new Promise(resolve => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Looks for what no request may do to the process; `done` fails when it happened. */
export function watchProcess() {
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown) => void rejections.push(reason);
  process.on('unhandledRejection', onRejection);
  process.on('uncaughtExceptionMonitor', onRejection);
  return {
    done() {
      process.off('unhandledRejection', onRejection);
      process.off('uncaughtExceptionMonitor', onRejection);
      assert.deepEqual(rejections, [], 'nothing was left unhandled');
    },
  };
}
