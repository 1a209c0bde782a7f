import { memoryTokenStore, type ParleyClient } from '@parley/client';
import { until } from '@parley/testkit';
import { EVERYTHING, type Fault, type Ground } from './fault.ts';

/** Devices of one person; the server takes 8. */
const DEVICES = 8;
/** Devices that open at once while the crowd gathers. */
const AT_ONCE = 40;

const isOnline = (client: ParleyClient): boolean => client.connection.getSnapshot().phase === 'online';

/** Opens so many streams, of people who watch somebody. */
async function gather({ world, traffic }: Ground, sessions: number): Promise<readonly ParleyClient[]> {
  const clients: ParleyClient[] = [];
  const watched = traffic.people.slice(0, 5).map(person => person.id);
  const people = Array.from({ length: Math.ceil(sessions / DEVICES) });
  const one = async () => {
    while (people.length > 0) {
      people.pop();
      const person = await world.person('In the crowd');
      const tokens = memoryTokenStore(); // one sign-in for all devices of a person
      for (let i = 0; i < DEVICES && clients.length < sessions; i++) {
        const client = world.client({ tokens });
        clients.push(client);
        if (i === 0) await client.signIn(person.address, person.password);
        await client.connect();
        await client.watch(watched);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return clients;
}

/** Every stream is cut in the same moment, and everybody comes back. */
export const storm: Fault = {
  name: 'reconnect storm',
  touches: EVERYTHING,
  async run(ground) {
    const { balancer } = ground.pool.parley;
    const crowd = await gather(ground, ground.sessions);
    const count = () => crowd.filter(isOnline).length;
    await until('the crowd to be online', () => count() === crowd.length, { timeoutMs: 60_000 });
    await balancer?.kill();
    await until('everybody to notice', () => count() === 0);
    const began = performance.now();
    await balancer?.start();
    await until('everybody to be back', () => count() === crowd.length, { timeoutMs: 120_000, everyMs: 100 });
    console.log(`${crowd.length} sessions were back after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    await ground.traffic.flows();
    await Promise.all(crowd.map(client => client.close()));
  },
};
