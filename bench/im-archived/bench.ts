import { fromBinary } from '@bufbuild/protobuf';
import { ImService } from '@parley/contracts/im/v1/im';
import { SessionEventSchema, SessionService } from '@parley/contracts/session/v1/session';
import { type Bench, quantile } from '../lib/bench.ts';
import { signInPeople } from '../lib/people.ts';
import { startTarget, type Target } from '../lib/server.ts';
import { encodeCall, openWire, type WireConnection } from '../lib/wire.ts';

/** Pairs who talk, and messages each person has under way, as the peers' load generator does it. */
const SESSIONS = 100;
const WINDOW = 2;
const TEXT = 'x'.repeat(100);

/** Messages between two people: stored, archived (or not), acknowledged, delivered to the other's device. */
export const bench: Bench = async ({ smoke }) => {
  const seconds = smoke ? 1 : 12;
  const rows = [];
  for (const archived of [true, false]) {
    const target = await startTarget({
      directory: {
        signInsPerPeerPerMinute: 1_000_000,
        hashQueue: 10_000,
        archiveInternal: archived,
        archiveExternal: archived,
      },
    });
    try {
      const closed = await talk(target, smoke ? 10 : SESSIONS, seconds, WINDOW);
      const name = archived ? 'archived' : 'not archived';
      const key = archived ? 'archived' : 'plain';
      rows.push(
        {
          key: `${key}_rate_per_s`,
          what: `${name}: messages acknowledged and delivered`,
          value: closed.rate,
          unit: '/s on one core',
        },
        { key: `${key}_cpu_us`, what: `${name}: server CPU a message`, value: closed.cpuUs, unit: 'us' },
        { key: `${key}_p50_ms`, what: `${name}: send to delivery at capacity, median`, value: closed.p50, unit: 'ms' },
        { key: `${key}_p99_ms`, what: `${name}: send to delivery at capacity, 99 %`, value: closed.p99, unit: 'ms' },
      );
      const paced = await talk(target, smoke ? 10 : SESSIONS, seconds, WINDOW, closed.rate / 5);
      rows.push(
        { key: `${key}_fifth_p50_ms`, what: `${name}: at a fifth of capacity, median`, value: paced.p50, unit: 'ms' },
        { key: `${key}_fifth_p99_ms`, what: `${name}: at a fifth of capacity, 99 %`, value: paced.p99, unit: 'ms' },
      );
    } finally {
      await target.stop();
    }
  }
  return rows;
};

interface Result {
  readonly rate: number;
  readonly cpuUs: number;
  readonly p50: number;
  readonly p99: number;
}

let made = 0;

/** Everybody sends to his neighbour and again as soon as the neighbour has it, or at `pace` messages a second in all. */
async function talk(target: Target, sessions: number, seconds: number, window: number, pace?: number): Promise<Result> {
  const people = await signInPeople(target, sessions).catch(async error => Promise.reject(error as Error));
  const senders = await Promise.all(people.map(() => openWire(target.host, target.port)));
  const streams = await Promise.all(people.map(() => openWire(target.host, target.port)));
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  let delivered = 0;
  let failed = '';
  let stop = false;

  const send = (i: number) => {
    const to = people[i ^ 1];
    const me = people[i];
    if (!to || !me) return;
    const messageId = crypto.randomUUID();
    sentAt.set(messageId, performance.now());
    const request = encodeCall(
      ImService.method.sendMessage,
      { messageId, recipientId: to.id, content: { text: TEXT } },
      me.token,
    );
    (senders[i] as WireConnection).call(request, (payload, status) => {
      if (!payload) failed = status;
    });
  };

  await Promise.all(
    people.map(
      (me, i) =>
        new Promise<void>((resolve, reject) => {
          const request = encodeCall(
            SessionService.method.connect,
            { endpointId: `bench-endpoint-${made++}`, clientVersion: 'bench/1.0.0', device: 1, machineState: 1 },
            me.token,
          );
          (streams[i] as WireConnection).stream(
            request,
            payload => {
              const { event } = fromBinary(SessionEventSchema, payload);
              if (event.case === 'connected') return resolve();
              if (event.case !== 'im' || event.value.senderId === me.id) return;
              const id = event.value.id.slice(event.value.id.indexOf('.') + 1);
              const at = sentAt.get(id);
              if (at === undefined) return;
              sentAt.delete(id);
              delivered++;
              latencies.push(performance.now() - at);
              if (!stop && pace === undefined) send(i ^ 1);
            },
            status => reject(new Error(`the stream ended: ${status}`)),
          );
        }),
    ),
  );

  const warm = performance.now() + 1_500;
  if (pace === undefined) for (let w = 0; w < window; w++) for (let i = 0; i < people.length; i++) send(i);
  const paced = pace === undefined ? undefined : startPacing(pace, people.length, send);
  await new Promise(resolve => setTimeout(resolve, Math.max(0, warm - performance.now())));
  const from = { delivered, cpu: target.cpuUs(), at: performance.now(), latency: latencies.length };
  await new Promise(resolve => setTimeout(resolve, seconds * 1000));
  const took = (performance.now() - from.at) / 1000;
  const count = delivered - from.delivered;
  const cpu = target.cpuUs() - from.cpu;
  stop = true;
  paced?.();
  for (const connection of [...senders, ...streams]) connection.close();
  if (failed) throw new Error(`a send failed: ${failed}`);
  if (count === 0) throw new Error('nothing was delivered');
  const sorted = latencies.slice(from.latency).sort((a, b) => a - b);
  return { rate: count / took, cpuUs: cpu / count, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

function startPacing(perSecond: number, people: number, send: (i: number) => void): () => void {
  const began = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond);
    while (sent < due) send(sent++ % people);
  }, 5);
  return () => clearInterval(timer);
}
