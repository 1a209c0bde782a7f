import { until } from '@parley/testkit';
import { receives } from '../../../e2e/scenario.ts';
import { SERVICES } from '../pool.ts';
import { aside, EVERYTHING, type Fault, type Ground, replica, sleep, started } from './fault.ts';

/** `kill -9`, and a new start as an orchestrator makes one. */
const killed = (service: string): Fault => ({
  name: `kill -9 of ${service}`,
  touches: [service],
  async run(ground) {
    const victim = replica(ground, service);
    await victim.kill();
    await sleep(500);
    await started(victim);
  },
});

/** The first replica of every service at once, then the second: deployments are rolled independently. */
const rolling: Fault = {
  name: 'rolling restart of everything',
  touches: EVERYTHING,
  async run({ pool }) {
    for (const number of [0, 1])
      await Promise.all(
        SERVICES.map(async service => {
          const process = pool.parley.replicasOf(service)[number];
          const code = await process?.stop();
          if (code !== 0) throw new Error(`${process?.name} ended with ${code}`);
          if (process) await started(process);
        }),
      );
  },
};

/** A process that neither answers nor goes away, longer than those who talk to it wait. */
const hung = (service: string, ms: number): Fault => ({
  name: `${service} hangs`,
  touches: [service],
  async run(ground) {
    const victim = replica(ground, service);
    await aside(ground, service, ms, [() => victim.pause(), () => victim.resume()]);
    await until(`${victim.name} to be ready`, () => victim.ready(), { timeoutMs: 30_000 });
  },
});

/** Members of the consumer groups leave in order, by force, and by silence, and come back, all while records come in. */
const rebalance: Fault = {
  name: 'rebalance of the consumer groups in the middle',
  touches: ['archiving'],
  async run(ground) {
    const [one, two] = ground.pool.parley.replicasOf('archiving');
    if (!one || !two) throw new Error('archiving has two replicas');
    await one.stop();
    await started(one);
    await two.kill();
    await started(two);
    await one.stop();
    await started(one);
  },
};

/** Kafka puts a member out after 10 s of silence; it comes back believing that its partitions are still its own. */
const zombie: Fault = {
  name: 'a consumer that was put out of its group and goes on',
  touches: ['archiving'],
  async run(ground) {
    const victim = replica(ground, 'archiving');
    victim.pause();
    await sleep(14_000);
    victim.resume();
  },
};

/**
 * First the clock of a running process is set, then one starts with it: it has no tokens and no caches of before. Then it
 * is set right, and connections that were made before must come back as soon as ever.
 */
const offClock = (service: string, minutes: number): Fault => ({
  name: `the clock of ${service} ${Math.abs(minutes)} minutes ${minutes > 0 ? 'ahead' : 'behind'}`,
  touches: EVERYTHING,
  async run(ground) {
    const victim = replica(ground, service);
    const inside = ground.pool.inside(victim);
    inside.clockAhead(minutes * 60_000);
    await newcomers(ground);
    await victim.kill();
    await started(victim);
    await newcomers(ground);
    inside.clockAhead(0);
    const links = (['nats', 'mongo'] as const).map(server => ground.pool.link(victim, server));
    for (const link of links) link.cut();
    await sleep(1_000);
    for (const link of links) link.heal();
    await until(`${victim.name} to be ready`, () => victim.ready(), { timeoutMs: 15_000 });
    await newcomers(ground);
  },
});

/** People who sign in now, so often that every replica has to do with them, and talk to each other. */
async function newcomers({ world, traffic }: Ground): Promise<void> {
  const person = await world.person('Newcomer');
  for (let i = 0; i < 3; i++) {
    const [one, two] = [await world.device(person), await world.device(await world.person('Newcomer'))];
    one.client.send(two.person.id, `hello ${i}`);
    await receives(two, `hello ${i}`);
    await Promise.all([one, two].map(({ client }) => client.signOut()));
  }
  await traffic.flows(45_000);
}

/** HAProxy reads its configuration again: a new process takes the listeners, the old one keeps its streams. */
const reload: Fault = {
  name: 'HAProxy reload',
  touches: ['balancer'],
  async run({ pool, traffic }) {
    pool.parley.balancer?.signal('SIGUSR2');
    await sleep(500);
    await traffic.flows();
    pool.parley.balancer?.signal('SIGUSR2');
  },
};

export const PROCESS_FAULTS: readonly Fault[] = [
  ...SERVICES.map(killed),
  rolling,
  ...SERVICES.map(service => hung(service, 8_000)),
  rebalance,
  zombie,
  ...SERVICES.flatMap(service => [offClock(service, 5), offClock(service, -5)]),
  reload,
];
