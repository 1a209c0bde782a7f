import type { Clock, Timer } from '@parley/runtime';
import type { KafkaCluster } from './cluster.ts';

const PROBE_MS = 1000;

/** Good until an append fails; then, and when no connection stands, it asks the cluster every second. */
export function watchHealth(cluster: KafkaCluster, clock: Clock) {
  let ok = true;
  let stopped = false;
  let timer: Timer;
  const probe = async () => {
    if (!ok || !cluster.connected) {
      ok = false;
      try {
        await cluster.connect();
        await cluster.refresh();
        ok = true;
      } catch {
        // Next time.
      }
    }
    if (!stopped) timer = clock.timer(PROBE_MS, probe);
  };
  timer = clock.timer(PROBE_MS, probe);
  return {
    get ok() {
      return ok && cluster.connected;
    },
    good: () => void (ok = true),
    bad: () => void (ok = false),
    stop() {
      stopped = true;
      timer.cancel();
    },
  };
}
