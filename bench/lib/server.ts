import { type ParleyUnderTest, startParley } from '@parley/testkit';
import { cpuUsOf, pin, rssKbOf } from './processes.ts';

/** A product under load: its processes on core 0, the caller on core 1 where there are two. */
export interface Target {
  readonly parley: ParleyUnderTest;
  readonly host: string;
  readonly port: number;
  /** User and system time of all server processes so far, microseconds. */
  cpuUs(): number;
  /** Resident memory of all server processes, kilobytes. */
  rssKb(): number;
  stop(): Promise<void>;
}

/** Limits that a load generator on one address would meet at once. */
export const UNLIMITED = {
  log: { level: 'warn' },
  public: { callsPerPersonPerSecond: 1_000_000, callsPerPeerPerSecond: 1_000_000 },
  directory: { signInsPerPeerPerMinute: 1_000_000, hashConcurrency: 1, hashQueue: 10_000 },
  im: { sendRatePerSecond: 10_000, sendBurst: 100_000 },
  session: { connectsPerSecond: 100_000, connectBurst: 100_000, commandsPerMinute: 100_000 },
};

/** Starts a standalone product for a bench. */
export async function startTarget(config: Readonly<Record<string, unknown>> = {}): Promise<Target> {
  const parley = await startParley({ topology: 'standalone', config: { ...UNLIMITED, ...config } });
  const pids = parley.processes.map(p => p.pid as number);
  for (const pid of pids) pin(pid, 0);
  pin(process.pid, 1);
  const url = new URL(parley.url);
  return {
    parley,
    host: url.hostname,
    port: Number(url.port),
    cpuUs: () => pids.reduce((sum, pid) => sum + cpuUsOf(pid), 0),
    rssKb: () => pids.reduce((sum, pid) => sum + rssKbOf(pid), 0),
    stop: () => parley.stop(),
  };
}
