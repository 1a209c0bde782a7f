import { fromBinary } from '@bufbuild/protobuf';
import { ImService } from '@parley/contracts/im/v1/im';
import { SessionEventSchema, SessionService } from '@parley/contracts/session/v1/session';
import { quantile } from './bench.ts';
import type { BenchPerson } from './people.ts';
import { encodeCall, openWire, type WireConnection } from './wire.ts';

const TEXT = 'x'.repeat(100);

/** Who talks, and how. */
export interface TalkOptions<S> {
  readonly host: string;
  readonly port: number;
  /** An even number: each talks with his neighbour. */
  readonly people: readonly BenchPerson[];
  readonly seconds: number;
  /** Messages each person has under way in the closed loop. */
  readonly window: number;
  /** Messages a second in all; without it the closed loop: again as soon as the neighbour has it. */
  readonly pace?: number;
  /** Before anything is measured, milliseconds; default 1,500. */
  readonly warmMs?: number;
  /** Looked at when measuring begins and ends. */
  readonly look: () => S;
}

/** What was measured. */
export interface Talk<S> {
  /** Messages acknowledged and delivered. */
  readonly count: number;
  /** A second. */
  readonly rate: number;
  /** Send to delivery, milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly before: S;
  readonly after: S;
}

let made = 0;

/** Everybody sends to his neighbour and again as soon as the neighbour has it, or at `pace` messages a second in all. */
export async function talk<S>(options: TalkOptions<S>): Promise<Talk<S>> {
  const { host, port, people, seconds, window, pace, warmMs = 1_500, look } = options;
  const senders = await Promise.all(people.map(() => openWire(host, port)));
  const streams = await Promise.all(people.map(() => openWire(host, port)));
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
      if (!payload && !stop) failed = status;
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
            status => {
              reject(new Error(`the stream ended: ${status}`));
              if (!stop) failed = `a stream ended: ${status}`;
            },
          );
        }),
    ),
  );

  const warm = performance.now() + warmMs;
  if (pace === undefined) for (let w = 0; w < window; w++) for (let i = 0; i < people.length; i++) send(i);
  const paced = pace === undefined ? undefined : startPacing(pace, people.length, send);
  await new Promise(resolve => setTimeout(resolve, Math.max(0, warm - performance.now())));
  const from = { delivered, at: performance.now(), latency: latencies.length };
  const before = look();
  await new Promise(resolve => setTimeout(resolve, seconds * 1000));
  const took = (performance.now() - from.at) / 1000;
  const count = delivered - from.delivered;
  const after = look();
  stop = true;
  paced?.();
  for (const connection of [...senders, ...streams]) connection.close();
  if (failed) throw new Error(`a send failed: ${failed}`);
  if (count === 0) throw new Error('nothing was delivered');
  const sorted = latencies.slice(from.latency).sort((a, b) => a - b);
  return { count, rate: count / took, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), before, after };
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
