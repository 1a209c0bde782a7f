import type { BulkReader } from '@parley/store';
import type { Topology } from '../topology.ts';

/** Reads whole collections of a service; the reader is closed whatever happens, since an open one keeps the process. */
export async function reading<T>(
  topology: Pick<Topology, 'bulkReader'>,
  service: string,
  work: (reader: BulkReader) => Promise<T>,
): Promise<T> {
  const reader = await topology.bulkReader(service);
  try {
    return await work(reader);
  } finally {
    await reader.close();
  }
}
