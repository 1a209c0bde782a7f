import type { Clock, Ids } from '@parley/runtime';
import { type BackoffRange, backoffMs } from '../../backoff.ts';
import type { BatchHandler, LogRecord } from '../../event-log.ts';
import type { LogTelemetry } from '../../telemetry.ts';

/** What a group needs of the log. */
export interface GroupSource {
  /** Durable records from the first one at or above `from`. */
  read(partition: number, from: number, limit: number): readonly LogRecord[];
  /** First offset that is not trimmed. */
  low(partition: number): number;
  high(partition: number): number;
  commit(partition: number, next: number): Promise<void>;
}

/** A consumer of a group. */
export interface GroupMember {
  readonly handler: BatchHandler;
  readonly maxBatch: number;
}

/** Consumers of one group and topic in this process, sharing the partitions. */
export interface Group {
  join(member: GroupMember): void;
  /** Resolves when the member's batch under way is finished and committed. */
  leave(member: GroupMember): Promise<void>;
  /** There may be something new in the partition. */
  wake(partition: number): void;
  /** Publishes the lag of every partition and wakes what has any. */
  poll(): void;
  readonly size: number;
}

/** What a group is made of. */
export interface GroupDeps {
  readonly topic: string;
  readonly group: string;
  /** Where each partition begins. */
  readonly positions: readonly number[];
  readonly source: GroupSource;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'fraction'>;
  readonly backoff: BackoffRange;
  readonly telemetry: LogTelemetry;
}

interface Lane {
  readonly partition: number;
  position: number;
  /** End of the partition when it was read last. */
  looked: number;
  /** Failures in a row. */
  attempt: number;
  state: 'idle' | 'scheduled' | 'running' | 'waiting';
  member: GroupMember | undefined;
  /** Settles when the step under way is over. */
  done: Promise<unknown>;
}

/**
 * One lane per partition handles its batches one after the other; whose turn it is, is decided for each batch. A member
 * that joins or leaves thus moves partitions without any hand-over.
 */
export function createGroup(deps: GroupDeps): Group {
  const { topic, group, source, telemetry } = deps;
  const members: GroupMember[] = [];
  const lanes = deps.positions.map<Lane>((position, partition) => ({
    partition,
    position,
    looked: 0,
    attempt: 0,
    state: 'idle',
    member: undefined,
    done: Promise.resolve(),
  }));

  function wake(lane: Lane): void {
    if (lane.state !== 'idle' || members.length === 0) return;
    lane.state = 'scheduled';
    // Not at once: whoever waits for the same commit goes first, and the batch gets larger.
    setImmediate(() => void run(lane));
  }

  async function run(lane: Lane): Promise<void> {
    lane.state = 'running';
    for (let more = true; more; ) {
      const under = step(lane);
      lane.done = under;
      more = await under;
    }
    lane.member = undefined;
    if (lane.state === 'running') lane.state = 'idle';
    // Something may have come between the last read and now.
    if (members.length > 0 && source.high(lane.partition) > lane.looked) wake(lane);
  }

  /** Handles one batch; false when there is none, nobody to handle it, or it failed. */
  async function step(lane: Lane): Promise<boolean> {
    const { partition } = lane;
    const member = members[partition % Math.max(1, members.length)];
    if (member === undefined) return false;
    lane.member = member;
    lane.looked = source.high(partition);
    try {
      const records = source.read(partition, lane.position, member.maxBatch);
      const first = records[0];
      const last = records.at(-1);
      const next = first?.offset ?? Math.max(lane.position, source.low(partition));
      if (next > lane.position) telemetry.skipped(topic, group, partition, next - lane.position);
      lane.position = next;
      if (first === undefined || last === undefined) return false;
      const high = Math.max(source.high(partition), last.offset + 1);
      telemetry.lag(topic, group, partition, high - first.offset);
      await member.handler({ topic, partition, records, high });
      await source.commit(partition, last.offset + 1);
      lane.position = last.offset + 1;
      lane.attempt = 0;
      telemetry.consumed(topic, group, records.length);
      telemetry.lag(topic, group, partition, Math.max(0, source.high(partition) - lane.position));
      return true;
    } catch (err) {
      lane.attempt++;
      telemetry.handlerFailed(topic, group, partition, lane.attempt, err);
      lane.state = 'waiting';
      deps.clock.timer(backoffMs(lane.attempt, deps.ids.fraction(), deps.backoff), () => {
        lane.state = 'idle';
        wake(lane);
      });
      return false;
    }
  }

  return {
    get size() {
      return members.length;
    },
    join(member) {
      members.push(member);
      for (const lane of lanes) wake(lane);
    },
    async leave(member) {
      const index = members.indexOf(member);
      if (index >= 0) members.splice(index, 1);
      await Promise.all(lanes.filter(lane => lane.member === member).map(lane => lane.done));
      for (const lane of lanes) wake(lane);
    },
    wake(partition) {
      const lane = lanes[partition];
      if (lane !== undefined) wake(lane);
    },
    poll() {
      for (const lane of lanes) {
        const lag = Math.max(0, source.high(lane.partition) - lane.position);
        telemetry.lag(topic, group, lane.partition, lag);
        if (lag > 0) wake(lane);
      }
    },
  };
}
