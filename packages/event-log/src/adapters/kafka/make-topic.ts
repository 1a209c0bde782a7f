import type { KafkaCluster, NewTopic, TopicCreation } from './cluster.ts';

/**
 * Makes a topic unless it is there. The controller knows a topic before the brokers do: whoever made it, or was told that
 * another process just did, waits until every broker has it, so that the next call finds it. `keep` repeats what fails.
 */
export async function makeTopic(
  cluster: Pick<KafkaCluster, 'createTopic' | 'discover' | 'settled'>,
  keep: <T>(call: () => Promise<T>) => Promise<T>,
  name: string,
  options: NewTopic,
): Promise<TopicCreation> {
  const made = await keep(() => cluster.createTopic(name, options));
  if (made === 'existed') return made;
  await keep(async () => {
    await cluster.discover(name).catch(() => {});
    if (!(await cluster.settled(name))) throw new Error('not everywhere yet');
  });
  return made;
}
