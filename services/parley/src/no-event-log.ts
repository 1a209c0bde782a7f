import type { EventLog } from '@parley/event-log';

/** For processes whose services have nothing to do with the event log: they neither connect to it nor need rights there. */
export function noEventLog(): EventLog {
  const refuse = () => Promise.reject(new Error('this process has no event log: none of its services uses it'));
  return {
    epoch: refuse,
    createTopics: refuse,
    append: refuse,
    consume: refuse,
    trim: refuse,
    ends: refuse,
    read: refuse,
    committed: refuse,
    rewind: refuse,
    connected: true,
    close: async () => undefined,
  };
}
