import { EventLogError } from '../../errors.ts';
import type { LogRecord } from '../../event-log.ts';

/**
 * Topic whose records tell the epochs. A cluster that was replaced by an empty one has no such topic; one to which
 * topics were copied has records of another cluster only. Both get a new record, hence a new epoch, by `createTopics`.
 */
export const EPOCH_TOPIC = 'parley.epoch';

/** Content of a record of {@link EPOCH_TOPIC}. */
interface Marker {
  readonly version: 1;
  readonly epoch: number;
  readonly clusterId: string;
}

/** A record that begins an epoch in the cluster. */
export function encodeMarker(epoch: number, clusterId: string): { readonly key: string; readonly value: Buffer } {
  const marker: Marker = { version: 1, epoch, clusterId };
  return { key: 'epoch', value: Buffer.from(JSON.stringify(marker)) };
}

/** The epoch of the cluster: the first record written for it counts, so that two who write at once agree. */
export function findEpoch(records: readonly LogRecord[], clusterId: string): number | undefined {
  for (const { value } of records) {
    const marker = decode(value);
    if (marker?.clusterId === clusterId) return marker.epoch;
  }
  return undefined;
}

function decode(value: Uint8Array): Marker | undefined {
  let found: Partial<Marker>;
  try {
    found = JSON.parse(Buffer.from(value).toString()) as Partial<Marker>;
  } catch (cause) {
    throw new EventLogError('no_epoch', `topic ${EPOCH_TOPIC} holds something that is no epoch`, { cause });
  }
  return found.version === 1 && Number.isSafeInteger(found.epoch) ? (found as Marker) : undefined;
}
