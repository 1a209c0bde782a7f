/** Holds everything the log can hold open, does nothing for a while, and prints what that cost. */
import { systemClock } from '@parley/runtime';
import { connectKafkaEventLog } from '../src/index.ts';

const [brokers = '', topic = '', ms = '3000'] = process.argv.slice(2);
const log = await connectKafkaEventLog({
  brokers: brokers.split(','),
  clientId: 'idle',
  clock: systemClock,
  replicationFactor: 1,
  minInsyncReplicas: 1,
});
await log.createTopics([{ name: topic, partitions: 4 }]);
const seen = Promise.withResolvers<void>();
await log.consume(topic, 'idle', async () => seen.resolve());
await log.append(topic, [{ key: 'k', value: Buffer.from('v') }]);
await seen.promise;
// What starting up left to compile and collect is not idling.
await systemClock.sleep(1000);

const cpu = process.cpuUsage();
const started = performance.now();
await systemClock.sleep(Number(ms));
const { user, system } = process.cpuUsage(cpu);
const seconds = (performance.now() - started) / 1000;
console.log(JSON.stringify({ cpuMsPerSecond: (user + system) / 1000 / seconds }));
await log.close();
