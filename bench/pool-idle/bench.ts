import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, Row } from '../lib/bench.ts';
import { groupCpuUs, groupRssKb, type PoolTarget, startPoolTarget } from '../lib/pool.ts';
import { wakeUpsOf } from '../lib/processes.ts';

/** Fourteen processes: three replicas of every service but one. */
const REPLICAS = { session: 3, im: 3, presence: 3, directory: 3, archiving: 2 };

/** When each look begins: a minute after the start, and when what is called once in a few seconds is compiled, too. */
const LOOKS = [
  { prefix: 'early_', name: 'after a minute', afterMs: 60_000 },
  { prefix: '', name: 'after ten minutes', afterMs: 600_000 },
];
const WINDOW_MS = 60_000;

/** What a pool costs while nobody uses it. */
export const bench: Bench = async ({ smoke }) => {
  const target = await startPoolTarget(smoke ? {} : { replicas: REPLICAS });
  const started = performance.now();
  try {
    const rows: Row[] = [];
    for (const look of smoke ? LOOKS.slice(1) : LOOKS) {
      await delay(smoke ? 1_000 : started + look.afterMs - performance.now());
      rows.push(...(await measure(target, smoke ? 2_000 : WINDOW_MS, look)));
    }
    return rows;
  } finally {
    await target.stop();
  }
};

async function measure(
  target: PoolTarget,
  windowMs: number,
  { prefix, name }: { readonly prefix: string; readonly name: string },
): Promise<Row[]> {
  const at = performance.now();
  const before = target.groups().map(group => ({
    group,
    cpu: groupCpuUs(group),
    wakeUps: group.ours ? sum(group.pids.map(wakeUpsOf)) : 0,
  }));
  await delay(windowMs);
  const seconds = (performance.now() - at) / 1000;
  const figures = before.map(({ group, cpu, wakeUps }) => ({
    ...group,
    n: group.pids.length,
    percent: (groupCpuUs(group) - cpu) / seconds / 10_000,
    wakeUps: group.ours ? (sum(group.pids.map(wakeUpsOf)) - wakeUps) / seconds : 0,
    mb: groupRssKb(group) / 1024,
  }));
  const ours = figures.filter(figure => figure.ours);
  const all = `all ${sum(ours.map(f => f.n))} processes of Parley`;
  const rows: Row[] = [
    row(`${prefix}parley_percent`, `${name}: ${all}`, sum(ours.map(f => f.percent)), CORE),
    row(`${prefix}parley_rss_mb`, '  their resident memory', sum(ours.map(f => f.mb)), 'MB'),
  ];
  for (const { kind, n, percent, wakeUps, mb, ours: own } of figures) {
    const key = `${prefix}${kind.toLowerCase()}`;
    const what = own ? `  ${kind}, each of ${n}` : `  ${kind}`;
    const parts = own ? n : 1;
    rows.push(row(`${key}_percent`, what, percent / parts, CORE));
    if (own) rows.push(row(`${key}_wake_ups_per_s`, `    wakes up`, wakeUps / n, '/s'));
    rows.push(row(`${key}_rss_mb`, '    resident memory', mb / parts, 'MB'));
  }
  return rows;
}

const CORE = '% of a core';
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const row = (key: string, what: string, value: number, unit: string): Row => ({ key, what, value, unit });
