import { EventLogError } from '../../errors.ts';
import type { LogRecord, PartitionEnds } from '../../event-log.ts';
import { MAX_BATCH_BYTES } from '../../limits.ts';
import type { KafkaCluster } from './cluster.ts';

/** Ends of one partition. */
export async function partitionEnds(cluster: KafkaCluster, topic: string, partition: number): Promise<PartitionEnds> {
  const ends = (await cluster.ends(topic))[partition];
  if (ends === undefined) throw new EventLogError('unknown_partition', `topic ${topic} has no partition ${partition}`);
  return ends;
}

/**
 * Fetches straight from the partition's leader: no group, no membership, nothing to clean up. At most `limit` records
 * from the first one at or above `from`, and not many more bytes than a batch may have.
 */
export async function readRecords(
  cluster: KafkaCluster,
  topic: string,
  partition: number,
  from: number,
  limit: number,
): Promise<readonly LogRecord[]> {
  const { low, high } = await partitionEnds(cluster, topic, partition);
  const records: LogRecord[] = [];
  let bytes = 0;
  for (let next = Math.max(from, low); next < high; ) {
    const got = await cluster.fetch(topic, partition, next, MAX_BATCH_BYTES);
    if (got.length === 0) throw new Error('nothing came although there is something');
    for (const record of got) {
      bytes += record.value.byteLength;
      if (records.length === limit || (records.length > 0 && bytes > MAX_BATCH_BYTES)) return records;
      records.push(record);
      next = record.offset + 1;
    }
  }
  return records;
}
