/**
 * What the hub costs without sockets: one change of presence to 50 watchers, and the memory of sessions that watch 80.
 * Run it with `node --expose-gc services/session/src/hub-fan-out.bench.ts`; prints a table and one line of JSON.
 */

import { create, toBinary } from '@bufbuild/protobuf';
import { createMemoryBus, subjects } from '@parley/bus';
import { PresenceEnvelopeSchema } from '@parley/contracts/event/v1/bus';
import { PresenceViewSchema } from '@parley/contracts/presence/v1/presence';
import { createMetrics } from '@parley/runtime';
import { createBusHints } from './adapters/bus/hints.ts';
import { createSessionEvents } from './events.ts';
import { quiet } from './testing/harness.ts';
import { CountingOutlet, createHubWorld } from './testing/hub-world.ts';

const SESSIONS = 10_000;
const WATCHES = 80;
const WATCHERS = 50;
const ROUNDS = 40_000;

const view = toBinary(
  PresenceViewSchema,
  create(PresenceViewSchema, { personId: 'A'.repeat(22), availability: 6500, activity: 'in-a-meeting', revision: 12n }),
);
const cpuUs = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

function memory(): number {
  const collect = (globalThis as { gc?: () => void }).gc;
  collect?.();
  collect?.();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const before = memory();
const outlets = Array.from({ length: SESSIONS }, () => new CountingOutlet());
const bare = memory();
const world = createHubWorld();
// Neighbours in a ring: everybody watches the next 80 and is watched by 80.
outlets.forEach((outlet, n) => {
  world.add(
    n,
    Array.from({ length: WATCHES }, (_, k) => `person-${(n + k + 1) % SESSIONS}`),
    outlet,
  );
});
world.rest();
const full = memory();

const fan = createHubWorld();
const readers = Array.from({ length: 1_000 }, () => new CountingOutlet());
readers.forEach((outlet, n) => fan.add(n, [`star-${Math.floor(n / WATCHERS)}`], outlet));
const stars = readers.length / WATCHERS;

function changes(rounds: number, from: number): void {
  for (let i = 0; i < rounds; i++) fan.change(`star-${i % stars}`, from + i, view);
}
changes(5_000, 2);
const cpu = cpuUs();
changes(ROUNDS, 10_000);
const perDelivery = (cpuUs() - cpu) / (ROUNDS * WATCHERS);

// The bus in front of it: envelope decoded, subject matched.
const bus = createMemoryBus();
const hints = createBusHints(bus, createSessionEvents(quiet, createMetrics({ defaults: false })));
let received = 0;
hints.onPresence('someone', 2, change => void (received += change.view.length > 0 ? 1 : 0));
const envelope = toBinary(
  PresenceEnvelopeSchema,
  create(PresenceEnvelopeSchema, { revision: 5n, aclRevision: 1n, view }),
);
async function receive(rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    bus.publish(subjects.presence('someone', 'colleagues'), envelope);
    if (i % 100 === 0) await bus.flush();
  }
  await bus.flush();
}
await receive(5_000);
const busCpu = cpuUs();
await receive(ROUNDS);
const perEnvelope = (cpuUs() - busCpu) / ROUNDS;

const result = {
  fan_out_us_per_delivery: perDelivery,
  bus_us_per_envelope: perEnvelope,
  bytes_per_session: (full - bare) / SESSIONS,
  graph_bytes_per_session: world.board.sizes.bytes / SESSIONS,
  deliveries: readers.reduce((sum, outlet) => sum + outlet.events, 0),
  envelopes: received,
  outlet_bytes: (bare - before) / SESSIONS,
};
console.error(`fan-out to ${WATCHERS} watchers      ${perDelivery.toFixed(3)} us a delivery`);
console.error(`bus + decoding             ${perEnvelope.toFixed(2)} us an envelope`);
console.error(`session with ${WATCHES} watches    ${(result.bytes_per_session / 1024).toFixed(2)} KB`);
console.log(JSON.stringify(result));
