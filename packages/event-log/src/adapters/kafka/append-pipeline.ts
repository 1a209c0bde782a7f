import type { Clock, Timer } from '@parley/runtime';
import { AppendError, type EventLogErrorCode } from '../../errors.ts';
import type { AppendRecord, LogPosition } from '../../event-log.ts';
import { type KafkaCluster, KafkaFailure, type KafkaMessage, type ProduceResult } from './cluster.ts';
import { verdictOn } from './produce-errors.ts';

/** One topic's way into Kafka. */
export interface AppendPipeline {
  append(records: readonly AppendRecord[], deadlineMs: number): Promise<readonly LogPosition[]>;
  /** Refuses what was not handed to the network yet and waits for what was. */
  close(): Promise<void>;
}

/** What a pipeline needs. */
export interface AppendPipelineDeps {
  readonly topic: string;
  readonly cluster: KafkaCluster;
  readonly clock: Clock;
  readonly lingerMs: number;
  /** Number of partitions, and the partition of a key. */
  readonly partitions: number;
  readonly partitionOf: (key: string) => number;
  readonly onFailure: (type: string, retried: boolean) => void;
}

interface Call {
  readonly positions: LogPosition[];
  readonly parts: Part[];
  readonly resolve: (positions: readonly LogPosition[]) => void;
  readonly reject: (err: AppendError) => void;
  deadline: Timer | undefined;
  settled: boolean;
}

/** A call's records of one partition. */
interface Part {
  readonly call: Call;
  readonly lane: Lane;
  readonly messages: KafkaMessage[];
  /** Where they stand in the call. */
  readonly indexes: number[];
  bytes: number;
  /** `queued` is surely not in the log, `sent` may be, `written` is. */
  state: 'queued' | 'sent' | 'written';
}

interface Lane {
  readonly partition: number;
  parts: Part[];
  /** Whether some of the parts belong to calls that are over. */
  stale: boolean;
  /** Failures in a row; while `held`, nothing is sent. */
  attempt: number;
  held: boolean;
}

const BATCH_BYTES = 1024 * 1024;
const REQUEST_BYTES = 8 * 1024 * 1024;
const QUEUE_BYTES = 64 * 1024 * 1024;
const OVERHEAD_BYTES = 64;
/** A request within so many milliseconds before means that waiting for company pays. */
const QUIET_MS = 5;
const RETRY_MIN_MS = 20;
const RETRY_MAX_MS = 500;

/**
 * Appends wait in a lane per partition. One request at a time is under way to each broker; what comes meanwhile makes the
 * next one, so that requests grow with the load and records of a key never overtake each other.
 */
export function createAppendPipeline(deps: AppendPipelineDeps): AppendPipeline {
  const { cluster, clock, topic } = deps;
  const lanes = Array.from({ length: deps.partitions }, (_, partition) => newLane(partition));
  const busy = new Map<number, Promise<void>>();
  let queuedBytes = 0;
  let scheduled = false;
  let lastSent = Number.NEGATIVE_INFINITY;
  let closed = false;

  function schedule(): void {
    if (scheduled || closed) return;
    scheduled = true;
    // The rest of this turn joins; while much is going on, so does what comes within `lingerMs`.
    if (deps.lingerMs > 0 && clock.monotonic() - lastSent < QUIET_MS) clock.timer(deps.lingerMs, pump);
    else setImmediate(pump);
  }

  function pump(): void {
    scheduled = false;
    if (closed) return;
    const known = cluster.leaders(topic);
    const requests = new Map<number, Map<Lane, Part[]>>();
    for (const lane of lanes) {
      prune(lane);
      if (lane.parts.length === 0 || lane.held) continue;
      const node = known?.[lane.partition];
      if (node === undefined || node < 0) {
        hold(lane);
        continue;
      }
      if (busy.has(node)) continue;
      let request = requests.get(node);
      if (request === undefined) requests.set(node, (request = new Map()));
      request.set(lane, []);
    }
    for (const [node, request] of requests) {
      let room = REQUEST_BYTES;
      for (const lane of request.keys()) {
        const taken = take(lane, Math.min(room, BATCH_BYTES));
        if (taken.length === 0) request.delete(lane);
        else request.set(lane, taken);
        for (const part of taken) room -= part.bytes;
        if (room <= 0) break;
      }
      for (const [lane, parts] of request) if (parts.length === 0) request.delete(lane);
      if (request.size > 0) busy.set(node, send(node, request));
    }
  }

  function prune(lane: Lane): void {
    if (!lane.stale) return;
    lane.stale = false;
    lane.parts = lane.parts.filter(part => !part.call.settled);
  }

  /** Takes parts off a lane, at least one. */
  function take(lane: Lane, most: number): Part[] {
    let bytes = 0;
    let n = 0;
    for (const part of lane.parts) {
      if (n > 0 && bytes + part.bytes > most) break;
      bytes += part.bytes;
      n++;
    }
    const taken = n === lane.parts.length ? lane.parts : lane.parts.slice(0, n);
    lane.parts = lane.parts.slice(n);
    return taken;
  }

  async function send(node: number, request: ReadonlyMap<Lane, readonly Part[]>): Promise<void> {
    lastSent = clock.monotonic();
    for (const parts of request.values()) for (const part of parts) part.state = 'sent';
    const batches = [...request].map(([lane, parts]) => ({
      partition: lane.partition,
      messages: parts.length === 1 ? (parts[0] as Part).messages : parts.flatMap(part => part.messages),
    }));
    try {
      const results = new Map<number, ProduceResult>();
      for (const result of await cluster.produce(node, topic, batches)) results.set(result.partition, result);
      for (const [lane, parts] of request) conclude(lane, parts, results.get(lane.partition));
    } catch (err) {
      const { sent, retriable, type } =
        err instanceof KafkaFailure ? err : { sent: true, retriable: false, type: 'Error' };
      for (const [lane, parts] of request) {
        if (!sent && retriable) retry(lane, parts, type);
        else fail(parts, sent ? 'unknown' : 'refused', type, err);
      }
    } finally {
      busy.delete(node);
      if (lanes.some(lane => lane.parts.length > 0)) schedule();
    }
  }

  function conclude(lane: Lane, parts: readonly Part[], result: ProduceResult | undefined): void {
    if (result === undefined) return fail(parts, 'unknown', 'NO_ANSWER', undefined);
    const { error, baseOffset } = result;
    if (error !== undefined) {
      const verdict = verdictOn(error.type);
      if (verdict === 'retry') return retry(lane, parts, error.type);
      return fail(parts, verdict, error.type, new Error(error.message));
    }
    lane.attempt = 0;
    let offset = baseOffset;
    for (const part of parts) {
      const { call, indexes } = part;
      part.state = 'written';
      for (const index of indexes) call.positions[index] = { partition: lane.partition, offset: offset++ };
      if (call.parts.every(p => p.state === 'written')) settle(call, () => call.resolve(call.positions));
    }
  }

  /** Puts parts that were surely not written back to the front; those of calls that are over go. */
  function retry(lane: Lane, parts: readonly Part[], type: string): void {
    deps.onFailure(type, true);
    for (const part of parts) part.state = 'queued';
    lane.parts = [...parts.filter(part => !part.call.settled), ...lane.parts];
    hold(lane);
  }

  function hold(lane: Lane): void {
    if (lane.held) return;
    lane.held = true;
    const wait = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(lane.attempt++, 10));
    clock.timer(wait, async () => {
      if (!closed) await relearn();
      lane.held = false;
      if (lane.parts.length > 0) schedule();
    });
  }

  let relearning: Promise<void> | undefined;
  /** A broker that is away must not make every lane ask on its own. */
  function relearn(): Promise<void> {
    relearning ??= cluster
      .discover(topic)
      .then(() => cluster.refresh())
      .catch(() => {})
      .finally(() => {
        relearning = undefined;
      });
    return relearning;
  }

  function fail(parts: readonly Part[], verdict: 'refused' | 'unknown', type: string, cause: unknown): void {
    deps.onFailure(type, false);
    if (verdict === 'refused') for (const part of parts) part.state = 'queued';
    const code = type.endsWith('TOO_LARGE') ? 'too_large' : 'unavailable';
    for (const { call } of parts) end(call, code, `Kafka answered ${type}`, cause);
  }

  /** Ends a call without success. What still waits of it will not be sent any more. */
  function end(call: Call, code: EventLogErrorCode, message: string, cause?: unknown): void {
    const outcome = call.parts.every(part => part.state === 'queued') ? 'refused' : 'unknown';
    for (const { lane } of call.parts) lane.stale = true;
    settle(call, () => call.reject(new AppendError(outcome, code, message, { cause })));
  }

  function settle(call: Call, tell: () => void): void {
    if (call.settled) return;
    call.settled = true;
    call.deadline?.cancel();
    for (const { bytes } of call.parts) queuedBytes -= bytes;
    tell();
  }

  return {
    append(records, deadlineMs) {
      if (closed) return Promise.reject(new AppendError('refused', 'closed', 'the event log is closed'));
      const { promise, resolve, reject } = Promise.withResolvers<readonly LogPosition[]>();
      const call: Call = { positions: [], parts: [], resolve, reject, deadline: undefined, settled: false };
      const bytes = divide(call, records);
      if (queuedBytes + bytes > QUEUE_BYTES) {
        return Promise.reject(new AppendError('refused', 'unavailable', 'too much waits for Kafka already'));
      }
      queuedBytes += bytes;
      for (const part of call.parts) part.lane.parts.push(part);
      call.deadline = clock.timer(deadlineMs, () => end(call, 'deadline', `not durable within ${deadlineMs} ms`));
      schedule();
      return promise;
    },

    async close() {
      closed = true;
      for (const lane of lanes) {
        for (const { call } of lane.parts.splice(0)) end(call, 'closed', 'the event log was closed');
      }
      await Promise.all(busy.values());
    },
  };

  /** Makes the parts of a call, for each partition its keys lead to as many as its size needs; returns their bytes. */
  function divide(call: Call, records: readonly AppendRecord[]): number {
    let total = 0;
    for (let index = 0; index < records.length; index++) {
      const record = records[index] as AppendRecord;
      const lane = lanes[deps.partitionOf(record.key)] as Lane;
      const bytes = record.value.byteLength + record.key.length + OVERHEAD_BYTES;
      let part = call.parts.findLast(p => p.lane === lane);
      if (part === undefined || part.bytes + bytes > BATCH_BYTES) {
        part = { call, lane, messages: [], indexes: [], bytes: 0, state: 'queued' };
        call.parts.push(part);
      }
      part.messages.push(toMessage(record));
      part.indexes.push(index);
      part.bytes += bytes;
      total += bytes;
    }
    return total;
  }
}

function newLane(partition: number): Lane {
  return { partition, parts: [], stale: false, attempt: 0, held: false };
}

function toMessage({ key, value, headers }: AppendRecord): KafkaMessage {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return headers === undefined ? { key, value: bytes } : { key, value: bytes, headers };
}
