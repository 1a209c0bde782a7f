import { it } from 'node:test';
import { type ProductProcess, startParley, until } from '@parley/testkit';
import { startBackends } from '../backends/src/index.ts';
import { inWorld, receives, type World } from './scenario.ts';
import { formatReport } from './traffic/ledger.ts';
import { startTraffic } from './traffic/traffic.ts';

const HOUR = 3_600_000;

/** Nobody becomes inactive by himself; leaving takes seconds, as clients of tests come back sooner than people's do. */
const CONFIG = {
  drainMs: 2_500,
  session: { syncIntervalMs: 10_000, resyncSpreadMs: 1_000, drainMs: 3_000, drainSpreadMs: 1_000 },
  presence: { inactiveAfterMs: 12 * HOUR, awayAfterMs: 24 * HOUR, graceMs: 30_000 },
  archiving: { checkpointMs: 2_000 },
};

/** Whoever is called by others goes last, so that old callers meet new replicas and new callers old ones. */
const SERVICES = ['im', 'session', 'archiving', 'presence', 'directory'] as const;

/** Where most of the work is: one, two and three replicas; the others have one and two. */
const THREE: ReadonlySet<string> = new Set(['im', 'session']);

it('replicas of every service come, do their share, and go, and nobody who talks notices', {
  timeout: 300_000,
}, async t => {
  const backends = await startBackends({ nats: true, kafka: true, mongo: true });
  const { nats, kafka, mongo } = backends;
  try {
    if (!nats || !kafka || !mongo) throw new Error('a server is missing');
    const parley = await startParley({
      topology: 'pool',
      backends: { natsUrl: nats.url, kafkaBrokers: kafka.brokers, mongoUrl: mongo.url },
      replicas: 1,
      spares: 2,
      config: CONFIG,
    });
    try {
      await inWorld(parley, { logDown: async () => undefined, logUp: async () => undefined }, async world => {
        const traffic = await startTraffic(world, { pairs: 4 });
        await traffic.flows();
        for (const service of SERVICES) {
          const began = performance.now();
          const replicas = parley.replicasOf(service).slice(0, THREE.has(service) ? 3 : 2);
          for (const added of replicas.slice(1)) {
            await added.start();
            await busy(added, service, world);
          }
          // the one that came last is all that is left in the end
          for (const removed of replicas.slice(0, -1)) {
            await leaves(removed);
            await traffic.flows();
          }
          const seconds = ((performance.now() - began) / 1000).toFixed(1);
          t.diagnostic(`${service} (${seconds} s) · ${formatReport(await traffic.settle())}`);
        }
        await newcomers(world);
        t.diagnostic(`in the end · ${formatReport(await traffic.finish())}`);
      });
    } finally {
      await parley.stop();
    }
  } finally {
    await backends.stop();
  }
});

async function leaves(replica: ProductProcess): Promise<void> {
  const code = await replica.stop();
  if (code !== 0) throw new Error(`${replica.name} ended with ${code}`);
}

/** Resolves when a replica that has just come does what its service is for. */
async function busy(replica: ProductProcess, service: (typeof SERVICES)[number], world: World): Promise<void> {
  await until(
    `${replica.name} to do its share`,
    async () => {
      if (await works(replica, service)) return true;
      await newcomers(world);
      return works(replica, service);
    },
    { timeoutMs: 30_000, everyMs: 200 },
  );
}

/** Archiving gets its share of the log; the others are called. */
async function works(replica: ProductProcess, service: string): Promise<boolean> {
  const sample = service === 'archiving' ? 'parley_log_consumed_total{' : 'parley_rpc_requests_total{';
  const lines = (await replica.metrics()).split('\n').filter(line => line.startsWith(sample));
  return lines.some(line => Number(line.slice(line.lastIndexOf(' '))) > 0);
}

/** People who sign in now and talk, archived: every service has to do with them. */
async function newcomers(world: World): Promise<void> {
  const [one, two] = [
    await world.device(await world.person('Newcomer')),
    await world.device(await world.person('Newcomer')),
  ];
  await world.archiving(one.person, { archiveInternal: true, archiveExternal: true });
  one.client.send(two.person.id, 'hello');
  await receives(two, 'hello');
  await Promise.all([one, two].map(({ client }) => client.signOut()));
}
