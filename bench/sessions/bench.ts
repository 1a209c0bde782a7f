import { fromBinary } from '@bufbuild/protobuf';
import { SessionEventSchema, SessionService } from '@parley/contracts/session/v1/session';
import type { Bench } from '../lib/bench.ts';
import { signInPeople } from '../lib/people.ts';
import { startTarget } from '../lib/server.ts';
import { encodeCall, openWire, type WireConnection } from '../lib/wire.ts';

const CONTACTS = 80;

/** People connect with a token in hand and a list of contacts, and then do nothing. */
export const bench: Bench = async ({ smoke }) => {
  const sessions = smoke ? 20 : 2_000;
  const idleSeconds = smoke ? 1 : 10;
  const target = await startTarget();
  try {
    const people = await signInPeople(target, sessions);
    await new Promise(resolve => setTimeout(resolve, 3_000)); // sign-ins, hashing and garbage have settled
    const before = { rss: target.rssKb(), cpu: target.cpuUs() };
    const streams = await Promise.all(people.map(() => openWire(target.host, target.port)));
    let snapshots = 0;
    const began = performance.now();
    for (let i = 0; i < people.length; i += 50) {
      await Promise.all(
        people.slice(i, i + 50).map(
          (me, j) =>
            new Promise<void>((resolve, reject) => {
              const watchPersonIds = Array.from(
                { length: Math.min(CONTACTS, people.length - 1) },
                (_, k) => people[(i + j + k + 1) % people.length]?.id ?? '',
              );
              let seen = 0;
              const request = encodeCall(
                SessionService.method.connect,
                {
                  endpointId: `bench-endpoint-${i + j}`,
                  clientVersion: 'bench/1.0.0',
                  device: 1,
                  machineState: 1,
                  watchPersonIds,
                },
                me.token,
              );
              (streams[i + j] as WireConnection).stream(
                request,
                payload => {
                  const { event } = fromBinary(SessionEventSchema, payload);
                  if (event.case !== 'presence') return;
                  snapshots++;
                  if (++seen === watchPersonIds.length) resolve();
                },
                status => reject(new Error(`the stream ended: ${status}`)),
              );
            }),
        ),
      );
    }
    const took = (performance.now() - began) / 1000;
    const connected = { cpu: target.cpuUs() };
    await new Promise(resolve => setTimeout(resolve, idleSeconds * 1000));
    const idle = { rss: target.rssKb(), cpu: target.cpuUs() };
    for (const stream of streams) stream.close();
    return [
      {
        key: 'kb_per_session',
        what: 'memory a signed-in, idle session',
        value: (idle.rss - before.rss) / sessions,
        unit: 'KB',
      },
      {
        key: 'cpu_us_per_sign_in',
        what: 'server CPU a sign-in with a token in hand, 80 contacts shown',
        value: (connected.cpu - before.cpu) / sessions,
        unit: 'us',
      },
      { key: 'sign_ins_per_s', what: 'sign-ins', value: sessions / took, unit: '/s' },
      {
        key: 'presence_events_per_sign_in',
        what: 'presence events meanwhile, a session (contacts sign in as well)',
        value: snapshots / sessions,
        unit: '',
      },
      {
        key: 'idle_cpu_percent',
        what: 'server CPU while all are idle',
        value: ((idle.cpu - connected.cpu) / (idleSeconds * 1_000_000)) * 100,
        unit: '% of a core',
      },
      { key: 'rss_mb', what: 'memory of the server in all', value: idle.rss / 1024, unit: 'MB' },
    ];
  } finally {
    await target.stop();
  }
};
