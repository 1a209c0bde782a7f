import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, Row } from '../lib/bench.ts';
import { groupCpuUs, groupRssKb, startPoolTarget } from '../lib/pool.ts';
import { wakeUpsOf } from '../lib/processes.ts';

/** Fourteen processes: three replicas of every service but one. */
const REPLICAS = { session: 3, im: 3, presence: 3, directory: 3, archiving: 2 };

/** After a start: caches fill, groups of consumers find each other, code is compiled. */
const SETTLE_MS = 60_000;
const WINDOW_MS = 60_000;

/** What a pool costs while nobody uses it. */
export const bench: Bench = async ({ smoke }) => {
  const target = await startPoolTarget(smoke ? {} : { replicas: REPLICAS });
  try {
    await delay(smoke ? 1_000 : SETTLE_MS);
    const at = performance.now();
    const before = target.groups().map(group => ({
      group,
      cpu: groupCpuUs(group),
      wakeUps: group.ours ? sum(group.pids.map(wakeUpsOf)) : 0,
    }));
    await delay(smoke ? 2_000 : WINDOW_MS);
    const seconds = (performance.now() - at) / 1000;
    const figures = before.map(({ group, cpu, wakeUps }) => ({
      ...group,
      n: group.pids.length,
      percent: (groupCpuUs(group) - cpu) / seconds / 10_000,
      wakeUps: group.ours ? (sum(group.pids.map(wakeUpsOf)) - wakeUps) / seconds : 0,
      mb: groupRssKb(group) / 1024,
    }));
    const ours = figures.filter(figure => figure.ours);
    const rows: Row[] = [
      row('parley_percent', `all ${sum(ours.map(f => f.n))} processes of Parley`, sum(ours.map(f => f.percent)), CORE),
      row('parley_rss_mb', 'their resident memory', sum(ours.map(f => f.mb)), 'MB'),
    ];
    for (const { kind, n, percent, wakeUps, mb, ours: own } of figures) {
      const key = kind.toLowerCase();
      const what = own ? `${kind}, each of ${n}` : kind;
      const parts = own ? n : 1;
      rows.push(row(`${key}_percent`, what, percent / parts, CORE));
      if (own) rows.push(row(`${key}_wake_ups_per_s`, `  wakes up`, wakeUps / n, '/s'));
      rows.push(row(`${key}_rss_mb`, '  resident memory', mb / parts, 'MB'));
    }
    return rows;
  } finally {
    await target.stop();
  }
};

const CORE = '% of a core';
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const row = (key: string, what: string, value: number, unit: string): Row => ({ key, what, value, unit });
