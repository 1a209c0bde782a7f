import assert from 'node:assert/strict';
import type { ProductProcess } from '@parley/testkit';
import type { World } from '../../../e2e/scenario.ts';
import { quantile } from '../../../e2e/traffic/ledger.ts';
import type { Traffic } from '../../../e2e/traffic/traffic.ts';
import type { Pool } from '../pool.ts';

/** What a fault works with. */
export interface Ground {
  readonly pool: Pool;
  readonly world: World;
  readonly traffic: Traffic;
  /** Sessions of a reconnect storm. */
  readonly sessions: number;
  /** Nothing else is broken meanwhile. */
  readonly alone: boolean;
  /** A line for whoever watches. */
  note(line: string): void;
  /** One of them, by chance. */
  pick<T>(list: readonly T[]): T;
}

/** Something that goes wrong under traffic. When it resolves, everything is whole again. */
export interface Fault {
  /** A sentence about what is broken. */
  readonly name: string;
  /** What it takes hold of: faults with nothing in common may happen at once. */
  readonly touches: readonly string[];
  run(ground: Ground): Promise<void>;
}

export const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/** Of a fault that asserts what still works, and so wants nothing else to be broken. */
export const EVERYTHING = ['*'];

/** Whether two faults may happen at once. */
export const apart = (a: Fault, b: Fault): boolean =>
  !a.touches.includes('*') && !b.touches.includes('*') && !a.touches.some(touched => b.touches.includes(touched));

/** One replica of a service. */
export const replica = ({ pool, pick }: Ground, service: string): ProductProcess =>
  pick(pool.parley.replicasOf(service));

const STARTS_FOR_MS = 60_000;

/** Starts a process as an orchestrator does: what ends because a server is away just then is started again. */
export async function started(process: ProductProcess): Promise<void> {
  for (const end = performance.now() + STARTS_FOR_MS; ; await sleep(500)) {
    try {
      return await process.start();
    } catch (error) {
      if (process.running || performance.now() > end) throw error;
    }
  }
}

/** A length of time for names and notes. */
export const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;

const TIMELY_MS = 5_000;

/** Services that may be slow or away without anybody's message waiting for them. */
const ASIDE = new Set(['presence', 'directory', 'archiving']);

/**
 * Breaks something of `service` for `ms`, some seconds longer than a message may take: where no message needs it, messages
 * are acknowledged all the same.
 */
export async function aside(
  { traffic, alone, note }: Ground,
  service: string,
  ms: number,
  [down, up]: readonly [() => void, () => void],
): Promise<void> {
  const proves = alone && ASIDE.has(service);
  const from = performance.now();
  down();
  await sleep(ms);
  const to = performance.now();
  up();
  if (!proves) return;
  const said = traffic.sent.filter(({ sentMs }) => sentMs >= from && sentMs <= to - TIMELY_MS);
  // what has no answer by now is later than it may be
  const waits = said.map(({ outcome, settledMs = Infinity, sentMs }) =>
    outcome === 'waiting' ? Infinity : settledMs - sentMs,
  );
  const p95 = quantile(waits, 0.95);
  const waited = `${said.length} messages meanwhile, acknowledged after ms p50 ${quantile(waits, 0.5)} p95 ${p95}`;
  note(waited);
  assert.ok(said.length >= 10, `only ${said.length} messages were sent meanwhile`);
  assert.deepEqual(
    said.filter(({ outcome }) => outcome === 'refused').map(({ code }) => code),
    [],
  );
  assert.ok(p95 < TIMELY_MS, `messages waited for ${service}: ${waited}`);
}
