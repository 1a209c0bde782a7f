import type { Bench } from '../lib/bench.ts';
import { signInPeople } from '../lib/people.ts';
import { startTarget, type Target } from '../lib/server.ts';
import { talk } from '../lib/talk.ts';

/** People who talk, and messages each has under way, as the peers' load generator does it. */
const SESSIONS = 100;
const WINDOW = 2;

/** Messages between two people: stored, archived (or not), acknowledged, delivered to the other's device. */
export const bench: Bench = async ({ smoke }) => {
  const rows = [];
  for (const archived of [true, false]) {
    const target = await startTarget({
      directory: {
        signInsPerPeerPerMinute: 1_000_000,
        hashQueue: 10_000,
        archiveInternal: archived,
        archiveExternal: archived,
      },
    });
    try {
      const closed = await measure(target, smoke);
      const name = archived ? 'archived' : 'not archived';
      const key = archived ? 'archived' : 'plain';
      rows.push(
        {
          key: `${key}_rate_per_s`,
          what: `${name}: messages acknowledged and delivered`,
          value: closed.rate,
          unit: '/s on one core',
        },
        { key: `${key}_cpu_us`, what: `${name}: server CPU a message`, value: closed.cpuUs, unit: 'us' },
        { key: `${key}_p50_ms`, what: `${name}: send to delivery at capacity, median`, value: closed.p50, unit: 'ms' },
        { key: `${key}_p99_ms`, what: `${name}: send to delivery at capacity, 99 %`, value: closed.p99, unit: 'ms' },
      );
      const paced = await measure(target, smoke, closed.rate / 5);
      rows.push(
        { key: `${key}_fifth_p50_ms`, what: `${name}: at a fifth of capacity, median`, value: paced.p50, unit: 'ms' },
        { key: `${key}_fifth_p99_ms`, what: `${name}: at a fifth of capacity, 99 %`, value: paced.p99, unit: 'ms' },
      );
    } finally {
      await target.stop();
    }
  }
  return rows;
};

async function measure(target: Target, smoke: boolean, pace?: number) {
  const { rate, p50, p99, count, before, after } = await talk({
    ...{ host: target.host, port: target.port },
    people: await signInPeople(target, smoke ? 10 : SESSIONS),
    seconds: smoke ? 1 : 12,
    window: WINDOW,
    ...(pace !== undefined && { pace }),
    look: () => target.cpuUs(),
  });
  return { rate, p50, p99, cpuUs: (after - before) / count };
}
