import type { KafkaCluster } from './cluster.ts';

/** A cluster in which all topics and groups have a prefix that nobody else sees. */
export function withPrefix(cluster: KafkaCluster, prefix: string): KafkaCluster {
  if (prefix === '') return cluster;
  const own = (name: string) => prefix + name;
  return {
    connect: () => cluster.connect(),
    close: () => cluster.close(),
    get connected() {
      return cluster.connected;
    },
    clusterId: () => cluster.clusterId(),
    leaders: topic => cluster.leaders(own(topic)),
    discover: topic => cluster.discover(own(topic)),
    refresh: () => cluster.refresh(),
    settled: topic => cluster.settled(own(topic)),
    produce: (node, topic, batches) => cluster.produce(node, own(topic), batches),
    fetch: (topic, ...rest) => cluster.fetch(own(topic), ...rest),
    ends: topic => cluster.ends(own(topic)),
    createTopic: (name, options) => cluster.createTopic(own(name), options),
    deleteRecords: (topic, ...rest) => cluster.deleteRecords(own(topic), ...rest),
    committed: (topic, group) => cluster.committed(own(topic), own(group)),
    commit: (topic, group, positions) => cluster.commit(own(topic), own(group), positions),
    join: options => cluster.join({ ...options, topic: own(options.topic), group: own(options.group) }),
  };
}
