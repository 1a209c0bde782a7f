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
  /** One of them; by chance in a chaos run, else the first. */
  pick<T>(list: readonly T[]): T;
}

/** Something that goes wrong under traffic. When it resolves, everything is whole again. */
export interface Fault {
  /** A sentence about what is broken. */
  readonly name: string;
  /** Left out of the short runs. */
  readonly long?: true;
  run(ground: Ground): Promise<void>;
}

export const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/** One replica of a service. */
export const replica = ({ pool, pick }: Ground, service: string): ProductProcess =>
  pick(pool.parley.replicasOf(service));
