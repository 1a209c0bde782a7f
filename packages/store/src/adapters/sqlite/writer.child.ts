/** Run by writer.test.ts in a process of its own: holds a file open, or writes to it and names what is durable. */
import { writeSync } from 'node:fs';
import { systemClock } from '@parley/runtime';
import type { CollectionSpec, Doc } from '../../store.ts';
import { createSqliteStore } from './store.ts';
import { openSqliteWriter } from './writer.ts';

interface Event extends Doc {
  readonly conversation: string;
  readonly key: number;
  readonly recipients: readonly string[];
  readonly payload: Uint8Array;
}

/** What the process writes. */
export const collection: CollectionSpec<Event> = {
  name: 'kill_events',
  indexes: {
    conversation: { kind: 'ordered', fields: ['conversation', 'key'] },
    inbox: { kind: 'ordered', fields: ['recipients', 'key'], array: 'recipients' },
  },
  clusterBy: 'conversation',
};

if (import.meta.main) {
  const [mode, path = ''] = process.argv.slice(2);
  const writer = openSqliteWriter({ path, clock: systemClock, checkpointPages: 200 });
  if (mode === 'hold') {
    writeSync(1, 'open\n');
    setInterval(() => writer.healthy, 1000); // whatever nobody can reach is collected, and its lock with it
  } else {
    const store = createSqliteStore({ writer, database: 'kill', clock: systemClock });
    await store.migrate([collection]);
    const events = store.collection(collection);
    let n = 0;
    const lane = async () => {
      for (;;) {
        const key = n++;
        const payload = new Uint8Array(300).fill(key & 255);
        await events.insert({ _id: `${key}`, conversation: `c${key % 7}`, key, recipients: ['a', 'b'], payload });
        writeSync(1, `${key}\n`);
      }
    };
    await Promise.all(Array.from({ length: 20 }, lane));
  }
}
