import { type Clock, createLoop } from '@parley/runtime';
import type { KafkaCluster } from './cluster.ts';

const PROBE_MS = 1000;

/** Good until an append fails; then, and when no connection stands, it asks the cluster every second. */
export function watchHealth(cluster: KafkaCluster, clock: Clock) {
  let ok = true;
  const probe = async () => {
    if (ok && cluster.connected) return;
    ok = false;
    try {
      await cluster.connect();
      await cluster.refresh();
      ok = true;
    } catch {
      // Next time.
    }
  };
  const loop = createLoop({ clock, everyMs: PROBE_MS, turn: probe });
  loop.start();
  return {
    get ok() {
      return ok && cluster.connected;
    },
    good: () => void (ok = true),
    bad: () => void (ok = false),
    stop: () => void loop.stop(),
  };
}
