import { type ParleyUnderTest, type ServiceName, startParley } from '@parley/testkit';
import { type Backends, startBackends } from '../../tests/backends/src/index.ts';
import { processTree } from '../../tests/backends/src/proc.ts';
import { cpuUsOf, pin, rssKbOf } from './processes.ts';
import { UNLIMITED } from './server.ts';

/** Processes of a pool of one kind: a service, the load balancer, or a server behind. */
export interface ProcessGroup {
  readonly kind: string;
  /** Whether it is a service of the product. */
  readonly ours: boolean;
  readonly pids: readonly number[];
}

/** A pool under load, with the servers it stands on. */
export interface PoolTarget {
  readonly parley: ParleyUnderTest;
  readonly host: string;
  readonly port: number;
  /** All server processes, by kind: those of the product first. */
  groups(): readonly ProcessGroup[];
  stop(): Promise<void>;
}

/** How a pool is started for a bench. */
export interface PoolTargetOptions {
  readonly replicas?: Readonly<Partial<Record<ServiceName, number>>>;
  readonly config?: Readonly<Record<string, unknown>>;
  /** Servers on core 0 and the caller on core 1; default: wherever the kernel puts them. */
  readonly pinned?: boolean;
}

/** Services in the order in which a message meets them. */
export const SERVICES: readonly ServiceName[] = ['session', 'im', 'archiving', 'presence', 'directory'];

/** Starts servers and product. */
export async function startPoolTarget({ replicas, config, pinned }: PoolTargetOptions = {}): Promise<PoolTarget> {
  const backends: Backends = await startBackends({ nats: true, kafka: true, mongo: true });
  const { nats, kafka, mongo } = backends;
  try {
    if (!nats || !kafka || !mongo) throw new Error('a server is missing');
    const parley = await startParley({
      topology: 'pool',
      backends: { natsUrl: nats.url, kafkaBrokers: kafka.brokers, mongoUrl: mongo.url },
      config: { ...UNLIMITED, ...config },
      ...(replicas && { replicas }),
    });
    const groups = () => [
      ...SERVICES.map(kind => ({
        kind,
        ours: true,
        pids: parley.replicasOf(kind).flatMap(({ running, pid }) => (running && pid !== undefined ? [pid] : [])),
      })),
      { kind: 'HAProxy', ours: false, pids: processTree(parley.balancer?.pid ?? -1) },
      { kind: 'NATS', ours: false, pids: nats.pids() },
      { kind: 'Kafka', ours: false, pids: kafka.pids() },
      { kind: 'FerretDB', ours: false, pids: mongo.front.pids() },
      { kind: 'PostgreSQL', ours: false, pids: mongo.database.pids() },
    ];
    if (pinned) {
      for (const { pids } of groups()) for (const pid of pids) pin(pid, 0);
      pin(process.pid, 1);
    }
    const url = new URL(parley.url);
    return {
      parley,
      host: url.hostname,
      port: Number(url.port),
      groups,
      stop: async () => {
        await parley.stop();
        await backends.stop();
      },
    };
  } catch (error) {
    await backends.stop('failed');
    throw error;
  }
}

/** A figure of processes that may come and go between two looks. */
const sumOf = (pids: readonly number[], of: (pid: number) => number): number =>
  pids.reduce((sum, pid) => {
    try {
      return sum + of(pid);
    } catch {
      return sum; // it has ended, and its parent has its time
    }
  }, 0);

/** CPU time of a group so far, microseconds. */
export const groupCpuUs = ({ pids }: ProcessGroup): number => sumOf(pids, cpuUsOf);

/** Resident memory of a group, kilobytes. */
export const groupRssKb = ({ pids }: ProcessGroup): number => sumOf(pids, rssKbOf);
