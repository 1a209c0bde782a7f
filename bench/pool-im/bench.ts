import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, Row } from '../lib/bench.ts';
import { openCpuQuotas } from '../lib/cpu-quota.ts';
import { signInPeople } from '../lib/people.ts';
import { groupCpuUs, type PoolTarget, startPoolTarget } from '../lib/pool.ts';
import { UNLIMITED } from '../lib/server.ts';
import { type Talk, talk } from '../lib/talk.ts';

/** People for each replica: a replica that has less under way than others shares fewer batches. */
const SESSIONS = 100;
const WINDOW = 2;
const SECONDS = 12;
/** Longer than `LATE`: what looks at records again afterwards is part of what a message costs. */
const WARM_MS = 7_000;
/** Nothing of it is measured: every replica must have had so much to do that its code is compiled. */
const HOT_SECONDS = 20;
const LATE = { keyVisibleMs: 4_000, reconcileMarginMs: 1_000 };

/** What each replica of im and session may use when growth is measured: so little that they are what is scarce. */
const SHARE = 0.1;

/** Messages between two people in a pool, by the number of replicas of im and session. */
export const bench: Bench = async ({ smoke }) => {
  const rows: Row[] = [];
  for (const replicas of smoke ? [1] : [1, 2, 3]) {
    const target = await startPoolTarget({
      replicas: { session: replicas, im: replicas, archiving: 1, presence: 1, directory: 1 },
      config: {
        im: { ...UNLIMITED.im, ...LATE },
        directory: {
          signInsPerPeerPerMinute: 1_000_000,
          hashQueue: 10_000,
          archiveInternal: true,
          archiveExternal: true,
        },
      },
      pinned: true,
    });
    try {
      rows.push(...(await measure(target, replicas, smoke)));
    } finally {
      await target.stop();
    }
  }
  return rows;
};

async function measure(target: PoolTarget, replicas: number, smoke: boolean): Promise<Row[]> {
  const key = `replicas_${replicas}`;
  const name = `${replicas} im, ${replicas} session`;
  const people = await signInPeople(target, smoke ? 10 : SESSIONS * replicas);
  const speak = (pace?: number, seconds = smoke ? 1 : SECONDS) =>
    talk({
      ...{ host: target.host, port: target.port, people },
      seconds,
      window: WINDOW,
      warmMs: smoke ? 500 : WARM_MS,
      ...(pace !== undefined && { pace }),
      look: () => target.groups().map(group => ({ ...group, cpuUs: groupCpuUs(group) })),
    });

  for (let i = 0; !smoke && i < replicas; i++) await speak(undefined, HOT_SECONDS);
  const closed = await speak();
  const cpu = costs(closed);
  const ours = oursOf(cpu);
  const all = cpu.reduce((sum, group) => sum + group.us, 0);
  const rows: Row[] = [
    row(`${key}_rate_per_s`, `${name}: messages acknowledged and delivered`, closed.rate, '/s on one core'),
    row(`${key}_parley_cpu_us`, '  CPU a message, processes of Parley', ours, 'us'),
    row(`${key}_all_cpu_us`, '  CPU a message, servers behind and in front included', all, 'us'),
    ...cpu.map(({ kind, us }) => row(`${key}_${kind.toLowerCase()}_cpu_us`, `    ${kind}`, us, 'us')),
    row(`${key}_p50_ms`, '  send to delivery at capacity, median', closed.p50, 'ms'),
    row(`${key}_p99_ms`, '  send to delivery at capacity, 99 %', closed.p99, 'ms'),
  ];
  const paced = await speak(Math.max(10, closed.rate / 5));
  rows.push(
    row(`${key}_fifth_p50_ms`, '  at a fifth of capacity, median', paced.p50, 'ms'),
    row(`${key}_fifth_p99_ms`, '  at a fifth of capacity, 99 %', paced.p99, 'ms'),
    row(`${key}_fifth_parley_cpu_us`, '  at a fifth of capacity, CPU a message', oursOf(costs(paced)), 'us'),
  );

  const quotas = openCpuQuotas();
  if (!quotas) {
    console.error('no control groups here: how throughput grows when replicas are scarce is not measured');
    return rows;
  }
  try {
    for (const { kind, pids } of target.groups())
      if (kind === 'im' || kind === 'session') for (const pid of pids) quotas.limit(pid, SHARE);
    await delay(100);
    const scarce = await speak();
    rows.push(
      row(`${key}_scarce_rate_per_s`, `  with ${SHARE * 100} % of a core for each of them`, scarce.rate, '/s'),
      row(`${key}_scarce_p99_ms`, '    send to delivery, 99 %', scarce.p99, 'ms'),
    );
  } finally {
    quotas.release();
  }
  return rows;
}

type Costs = Talk<readonly { readonly kind: string; readonly ours: boolean; readonly cpuUs: number }[]>;

/** CPU a message by kind of process, microseconds. */
const costs = ({ before, after, count }: Costs) =>
  after.map(({ kind, ours, cpuUs }, i) => ({ kind, ours, us: (cpuUs - (before[i]?.cpuUs ?? 0)) / count }));

const oursOf = (groups: ReturnType<typeof costs>): number =>
  groups.filter(group => group.ours).reduce((sum, group) => sum + group.us, 0);

const row = (key: string, what: string, value: number, unit: string): Row => ({ key, what, value, unit });
