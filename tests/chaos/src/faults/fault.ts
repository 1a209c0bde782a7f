import type { ProductProcess } from '@parley/testkit';
import type { World } from '../../../e2e/scenario.ts';
import type { Traffic } from '../../../e2e/traffic/traffic.ts';
import type { Pool } from '../pool.ts';

/** What a fault works with. */
export interface Ground {
  readonly pool: Pool;
  readonly world: World;
  readonly traffic: Traffic;
  /** How long outages last as a share of what the issue asks for: 1 by hand, less in CI. */
  readonly scale: number;
  /** Sessions of a reconnect storm. */
  readonly sessions: number;
  /** One of them; by chance in a chaos run, else the first. */
  pick<T>(list: readonly T[]): T;
}

/** Something that goes wrong under traffic. When it resolves, everything is whole again. */
export interface Fault {
  /** A sentence about what is broken. */
  readonly name: string;
  /** What it takes hold of: faults with nothing in common may happen at once. */
  readonly touches: readonly string[];
  /** Left out of the short runs. */
  readonly long?: boolean;
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
