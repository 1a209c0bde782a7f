import type { DatabaseSync } from 'node:sqlite';
import { type Clock, type Ids, type Logger, type Metrics, systemIds, type Timer } from '@parley/runtime';
import type { SqliteWriter } from '@parley/store';
import { type BackoffRange, DEFAULT_BACKOFF } from '../../backoff.ts';
import { AppendError, EventLogError, inUse } from '../../errors.ts';
import type { AppendRecord, EventLog, LogPosition, TopicSpec } from '../../event-log.ts';
import {
  checkAppend,
  checkGroup,
  checkInteger,
  checkTopic,
  DEFAULT_DEADLINE_MS,
  DEFAULT_MAX_BATCH,
  MAX_BATCH_RECORDS,
} from '../../limits.ts';
import { newEpoch } from '../../new-epoch.ts';
import { partitionOfKey } from '../../partition-of-key.ts';
import { createLogTelemetry } from '../../telemetry.ts';
import { createEventLogFaults, type EventLogFaults } from './faults.ts';
import { createGroup, type Group, type GroupMember } from './group.ts';
import { lowOf, nextOf, type Partition, readRecords } from './partition.ts';
import { createSchema, MAX_SLOT, SLOT_SIZE, statements } from './schema.ts';

/** What the SQLite log needs. */
export interface SqliteEventLogDeps {
  /** Shared with the store; the log does not close it. */
  readonly writer: SqliteWriter;
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Jitter and the epoch of a new log; default the system's. */
  readonly ids?: Pick<Ids, 'fraction'>;
  /** Waits before a failed batch comes again; default 100 ms to 30 s. */
  readonly backoff?: BackoffRange;
  /** Milliseconds between two looks for records nobody announced and two reports of the lag; default 5,000. */
  readonly pollMs?: number;
  /** For tests. */
  readonly faults?: EventLogFaults;
}

const TRIM_CHUNK = 5000;

/**
 * Event log in the SQLite file of the standalone edition. An append joins the next group commit and wakes its consumers
 * when that is durable.
 */
export function createSqliteEventLog(deps: SqliteEventLogDeps): EventLog {
  const { writer, clock } = deps;
  const ids = deps.ids ?? systemIds;
  const faults = deps.faults ?? createEventLogFaults();
  const telemetry = createLogTelemetry(clock, deps.logger, deps.metrics);
  const topics = new Map<string, Partition[]>();
  const groups = new Map<string, Map<string, Group>>();
  const members = new Set<() => Promise<void>>();
  const pollMs = deps.pollMs ?? 5000;
  let poller: Timer | undefined;
  let opened = false;
  let closed = false;

  const first = newEpoch(clock, ids);
  const opening = writer
    .write(db => createSchema(db, first))
    .then(epoch => {
      loadTopics(writer.db);
      opened = true;
      return epoch;
    });
  opening.catch(err => deps.logger?.error('log.open.failed', { err }));

  function loadTopics(db: DatabaseSync): void {
    for (const row of statements(db).partitions.all()) {
      const topic = row['topic'] as string;
      const partition = row['partition'] as number;
      const slot = row['slot'] as number;
      let list = topics.get(topic);
      if (list === undefined) topics.set(topic, (list = []));
      if (list[partition] !== undefined) continue;
      const entry: Partition = { topic, partition, slot, base: slot * SLOT_SIZE, high: 0 };
      entry.high = nextOf(db, entry);
      list[partition] = entry;
    }
  }

  async function ready(): Promise<void> {
    if (closed) throw new EventLogError('closed', 'the event log is closed');
    if (!opened) await opening;
  }

  function partitionsOf(topic: string): Partition[] {
    const list = topics.get(topic);
    if (list === undefined) throw new EventLogError('unknown_topic', `topic ${topic.slice(0, 200)} does not exist`);
    return list;
  }

  function partitionOf(topic: string, partition: number): Partition {
    const found = partitionsOf(topic)[partition];
    if (found === undefined) {
      throw new EventLogError('unknown_partition', `topic ${topic} has no partition ${partition}`);
    }
    return found;
  }

  /** Runs inside the group commit. */
  function writeRecords(db: DatabaseSync, list: readonly Partition[], records: readonly AppendRecord[]): LogPosition[] {
    const { insert } = statements(db);
    const at = clock.now();
    const next: number[] = [];
    const positions: LogPosition[] = [];
    for (const { key, value, headers } of records) {
      const partition = list[partitionOfKey(key, list.length)] as Partition;
      // Read from the file, not remembered: a commit that failed takes the offsets it used with it.
      const offset = next[partition.partition] ?? nextOf(db, partition);
      if (offset >= SLOT_SIZE) throw new Error(`partition ${partition.partition} of ${partition.topic} is full`);
      insert.run(partition.base + offset, at, key, headers === undefined ? null : JSON.stringify(headers), value);
      next[partition.partition] = offset + 1;
      positions.push({ partition: partition.partition, offset });
    }
    return positions;
  }

  function announce(list: readonly Partition[], positions: readonly LogPosition[], topic: string): void {
    for (const { partition, offset } of positions) {
      const entry = list[partition];
      if (entry !== undefined && offset >= entry.high) entry.high = offset + 1;
    }
    const listening = groups.get(topic);
    if (listening === undefined) return;
    for (const group of listening.values()) for (const { partition } of positions) group.wake(partition);
  }

  function submit(
    topic: string,
    records: readonly AppendRecord[],
    deadlineMs: number,
  ): Promise<readonly LogPosition[]> {
    const list = partitionsOf(topic);
    if (records.length === 0) return Promise.resolve([]);
    const started = clock.monotonic();
    return new Promise((resolve, reject) => {
      let state: 'held' | 'queued' | 'run' | 'withdrawn' = 'held';
      const deadline = clock.timer(deadlineMs, () => {
        // What the writer has not begun it never will, once it is withdrawn.
        const outcome = state === 'queued' ? 'refused' : 'unknown';
        if (state === 'queued') state = 'withdrawn';
        reject(new AppendError(outcome, 'deadline', `not durable within ${deadlineMs} ms`));
      });
      const op = (db: DatabaseSync) => {
        if (state === 'withdrawn') throw new Error('the deadline has passed');
        state = 'run';
        return writeRecords(db, list, records);
      };
      const held = faults.mode === 'hang';
      faults.pass(() => {
        if (!held) state = 'queued';
        writer.write(op, { atomic: records.length === 1 }).then(
          positions => {
            deadline.cancel();
            announce(list, positions, topic);
            telemetry.appended(topic, records.length, (clock.monotonic() - started) / 1000);
            resolve(positions);
          },
          (cause: Error & { outcome?: unknown }) => {
            deadline.cancel();
            const outcome = cause.outcome === 'unknown' ? 'unknown' : 'refused';
            reject(new AppendError(outcome, 'unavailable', 'the file could not be written', { cause }));
          },
        );
      });
    });
  }

  async function groupOf(topic: string, group: string, from: 'earliest' | 'latest'): Promise<Group> {
    const list = partitionsOf(topic);
    let ofTopic = groups.get(topic);
    if (ofTopic === undefined) groups.set(topic, (ofTopic = new Map()));
    const running = ofTopic.get(group);
    if (running !== undefined) return running;
    const { db } = writer;
    const committed = positionsOf(db, topic, group);
    const created = createGroup({
      topic,
      group,
      clock,
      ids,
      telemetry,
      backoff: deps.backoff ?? DEFAULT_BACKOFF,
      positions: list.map(p => committed.get(p.partition) ?? (from === 'latest' ? p.high : lowOf(db, p))),
      source: {
        read: (partition, position, limit) => readRecords(db, list[partition] as Partition, position, limit),
        low: partition => lowOf(writer.db, list[partition] as Partition),
        high: partition => list[partition]?.high ?? 0,
        commit: (partition, next) =>
          writer.write(d => void statements(d).setPosition.run(topic, group, partition, next), { atomic: true }),
      },
    });
    ofTopic.set(group, created);
    poller ??= clock.timer(pollMs, poll);
    if (from === 'latest') await beginAtEnd(list, group, committed);
    return created;
  }

  /** A group that is to begin at the end begins where the end is now, whatever happens before its first record. */
  async function beginAtEnd(list: readonly Partition[], group: string, committed: ReadonlyMap<number, number>) {
    const missing = list.filter(p => !committed.has(p.partition)).map(p => ({ ...p }));
    if (missing.length === 0) return;
    await writer.write(db => {
      for (const { topic, partition, high } of missing) statements(db).setPosition.run(topic, group, partition, high);
    });
  }

  /** Learns how far partitions reach: resolves when what it saw is durable. */
  function learn(list: readonly Partition[]): Promise<{ low: number; high: number }[]> {
    const look = (db: DatabaseSync) => list.map(p => ({ low: lowOf(db, p), high: nextOf(db, p) }));
    return writer.write(look, { atomic: true }).then(ends => {
      for (const [i, { high }] of ends.entries()) {
        const partition = list[i] as Partition;
        partition.high = Math.max(partition.high, high);
      }
      return ends;
    });
  }

  async function poll(): Promise<void> {
    try {
      for (const [topic, ofTopic] of groups) {
        await learn(partitionsOf(topic));
        for (const group of ofTopic.values()) group.poll();
      }
    } catch (err) {
      if (!closed) deps.logger?.error('log.poll.failed', { err });
    }
    poller = closed || groups.size === 0 ? undefined : clock.timer(pollMs, poll);
  }

  const log: EventLog = {
    get connected() {
      return opened && !closed && writer.healthy && faults.mode === 'none';
    },

    async epoch() {
      await ready();
      return opening;
    },

    async createTopics(specs: readonly TopicSpec[]) {
      for (const spec of specs) checkTopic(spec);
      await ready();
      await writer.write(db => {
        for (const { name, partitions } of specs) {
          const known = statements(db)
            .partitions.all()
            .filter(row => row['topic'] === name).length;
          if (known > 0) continue;
          for (let p = 0; p < partitions; p++) {
            const slot = Number(statements(db).addPartition.run(name, p).lastInsertRowid);
            if (slot > MAX_SLOT) throw new EventLogError('invalid', `more than ${MAX_SLOT} partitions in all`);
          }
        }
      });
      loadTopics(writer.db);
    },

    async append(topic, records, options) {
      const deadlineMs = options?.deadlineMs ?? DEFAULT_DEADLINE_MS;
      try {
        checkAppend(records, deadlineMs);
        await (opened && !closed ? undefined : ready());
        if (faults.mode === 'refuse') throw new AppendError('refused', 'unavailable', 'refused by a fault');
        return await submit(topic, records, deadlineMs);
      } catch (err) {
        const failure = asAppendError(err);
        telemetry.appendFailed(topics.has(topic) ? topic : 'unknown', failure.outcome, failure.code);
        throw failure;
      }
    },

    async consume(topic, group, handler, options = {}) {
      checkGroup(group);
      const maxBatch = options.maxBatch ?? DEFAULT_MAX_BATCH;
      checkInteger('maxBatch', maxBatch, 1, MAX_BATCH_RECORDS);
      await ready();
      const shared = await groupOf(topic, group, options.from ?? 'earliest');
      const member: GroupMember = { handler, maxBatch };
      shared.join(member);
      let stopping: Promise<void> | undefined;
      const stop = () => (stopping ??= leave(topic, group, shared, member).finally(() => members.delete(stop)));
      members.add(stop);
      return { stop };
    },

    async trim(topic, partition, offset) {
      await ready();
      const entry = partitionOf(topic, partition);
      checkInteger('offset', offset, 0, SLOT_SIZE);
      const start = await writer.write(db => {
        if (offset > nextOf(db, entry)) throw new EventLogError('invalid', `offset ${offset} is beyond the end`);
        if (offset > lowOf(db, entry)) statements(db).setLow.run(offset, entry.slot);
        return (statements(db).first.get(entry.base, entry.base + offset)?.['id'] as number | undefined) ?? Infinity;
      });
      // In pieces, so that nobody's write waits long. What a crash leaves behind is below `low` and goes with the next trim.
      for (let id = start; id < entry.base + offset; id += TRIM_CHUNK) {
        const end = Math.min(id + TRIM_CHUNK, entry.base + offset);
        await writer.write(db => void statements(db).remove.run(id, end));
      }
      telemetry.trimmed(topic, partition, offset);
    },

    async ends(topic) {
      await ready();
      const list = partitionsOf(topic);
      return (await learn(list)).map((ends, i) => ({ partition: (list[i] as Partition).partition, ...ends }));
    },

    async read(topic, partition, from, limit) {
      await ready();
      checkInteger('from', from, 0, SLOT_SIZE);
      checkInteger('limit', limit, 1, MAX_BATCH_RECORDS);
      const entry = partitionOf(topic, partition);
      await learn([entry]);
      return readRecords(writer.db, entry, from, limit);
    },

    async committed(topic, group) {
      await ready();
      checkGroup(group);
      partitionsOf(topic);
      return positionsOf(writer.db, topic, group);
    },

    async rewind(topic, group) {
      await ready();
      checkGroup(group);
      const list = partitionsOf(topic);
      if (groups.get(topic)?.has(group)) throw inUse(group);
      await writer.write(db => {
        for (const entry of list) statements(db).setPosition.run(topic, group, entry.partition, lowOf(db, entry));
      });
    },

    async close() {
      closed = true;
      poller?.cancel();
      await Promise.all([...members].map(stop => stop()));
    },
  };

  async function leave(topic: string, group: string, shared: Group, member: GroupMember): Promise<void> {
    await shared.leave(member);
    const ofTopic = groups.get(topic);
    if (shared.size === 0 && ofTopic?.get(group) === shared) ofTopic.delete(group);
    if (ofTopic?.size === 0) groups.delete(topic);
  }

  return log;
}

function positionsOf(db: DatabaseSync, topic: string, group: string): Map<number, number> {
  const rows = statements(db).positions.all(topic, group);
  return new Map(rows.map(row => [row['partition'] as number, row['next'] as number]));
}

function asAppendError(err: unknown): AppendError {
  if (err instanceof AppendError) return err;
  if (err instanceof EventLogError) return new AppendError('refused', err.code, err.message, { cause: err });
  return new AppendError('refused', 'unavailable', 'the event log could not be opened', { cause: err });
}
