import { fromBinary } from '@bufbuild/protobuf';
import { PresenceService } from '@parley/contracts/presence/v1/presence';
import { SessionEventSchema, SessionService } from '@parley/contracts/session/v1/session';
import { until } from '@parley/testkit';
import { type Bench, quantile } from '../lib/bench.ts';
import { signInPeople } from '../lib/people.ts';
import { startTarget } from '../lib/server.ts';
import { encodeCall, openWire, type WireConnection } from '../lib/wire.ts';

const WATCHERS = 50;

/** Somebody changes his presence and fifty people who watch him see it. */
export const bench: Bench = async ({ smoke }) => {
  const blocks = smoke ? 1 : 10;
  const rounds = smoke ? 3 : 60;
  const target = await startTarget();
  try {
    const people = await signInPeople(target, blocks * (WATCHERS + 1));
    let delivered = 0;
    const begun: number[] = [];
    const latencies: number[] = [];
    const streams = await Promise.all(people.map(() => openWire(target.host, target.port)));
    await Promise.all(
      people.map(
        (me, i) =>
          new Promise<void>((resolve, reject) => {
            const block = Math.floor(i / (WATCHERS + 1));
            const publisher = people[block * (WATCHERS + 1)];
            const watchPersonIds = publisher && publisher.id !== me.id ? [publisher.id] : [];
            const request = encodeCall(
              SessionService.method.connect,
              {
                endpointId: `bench-endpoint-${i}`,
                clientVersion: 'bench/1.0.0',
                device: 1,
                machineState: 1,
                watchPersonIds,
              },
              me.token,
            );
            (streams[i] as WireConnection).stream(
              request,
              payload => {
                const { event } = fromBinary(SessionEventSchema, payload);
                if (event.case === 'connected') return resolve();
                if (event.case !== 'presence') return;
                delivered++;
                latencies.push(performance.now() - (begun[block] ?? 0));
              },
              status => reject(new Error(`the stream ended: ${status}`)),
            );
          }),
      ),
    );
    await new Promise(resolve => setTimeout(resolve, 1_500)); // snapshots and endpoint news have settled
    const setters = await Promise.all(Array.from({ length: blocks }, () => openWire(target.host, target.port)));
    latencies.length = 0;
    const from = { cpu: target.cpuUs(), at: performance.now(), delivered };
    let expected = delivered;
    for (let round = 0; round < rounds; round++) {
      for (let block = 0; block < blocks; block++) {
        const publisher = people[block * (WATCHERS + 1)];
        begun[block] = performance.now();
        expected += WATCHERS;
        const request = encodeCall(
          PresenceService.method.setPresence,
          { requestId: crypto.randomUUID(), availability: round % 2 ? 5 : 3 },
          publisher?.token ?? '',
        );
        (setters[block] as WireConnection).call(request, (payload, status) => {
          if (!payload) throw new Error(`setting presence failed: ${status}`);
        });
      }
      await until(`round ${round} to reach everybody`, () => delivered >= expected, { everyMs: 1 });
    }
    const count = delivered - from.delivered;
    const cpu = target.cpuUs() - from.cpu;
    const took = (performance.now() - from.at) / 1000;
    for (const connection of [...streams, ...setters]) connection.close();
    const sorted = latencies.sort((a, b) => a - b);
    return [
      {
        key: 'cpu_us_per_delivery',
        what: 'server CPU a delivery, the change itself included',
        value: cpu / count,
        unit: 'us',
      },
      { key: 'rate_per_s', what: 'deliveries', value: count / took, unit: '/s' },
      { key: 'deliveries', what: 'deliveries counted', value: count, unit: '' },
      { key: 'p50_ms', what: 'change to delivery, median', value: quantile(sorted, 0.5), unit: 'ms' },
      { key: 'p99_ms', what: 'change to delivery, 99 %', value: quantile(sorted, 0.99), unit: 'ms' },
    ];
  } finally {
    await target.stop();
  }
};
