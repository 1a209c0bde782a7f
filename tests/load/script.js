// One virtual user is one endpoint: it signs in, opens its stream over native gRPC and lives by the user model.
import grpc from 'k6/net/grpc';
import { Counter, Trend } from 'k6/metrics';
import { setTimeout, clearTimeout } from 'k6/timers';
import { MESSAGES_A_TALK, PEOPLE_A_POLL, PEOPLE_A_SEARCH, PER_SECOND, WATCH_MS } from './model.js';
import { knobs } from './knobs.js';

const knob = knobs(__ENV);
const accounts = JSON.parse(open(knob.accounts));
if (accounts.length < knob.users) throw new Error(`${knob.accounts} has ${accounts.length} people, USERS asks for ${knob.users}`);
const endpoints = Math.round(knob.users * knob.endpointsPerUser);
const rampMs = (endpoints / knob.signInsPerSecond) * 1000;

const signIn = new Trend('parley_sign_in_ms', true);
const connected = new Trend('parley_connect_ms', true);
const sendAck = new Trend('parley_send_ack_ms', true);
const delivery = new Trend('parley_delivery_ms', true);
const calls = new Trend('parley_call_ms', true);
const acked = new Counter('parley_messages_acked');
const delivered = new Counter('parley_messages_delivered');
const lost = new Counter('parley_messages_lost');
const doubled = new Counter('parley_messages_doubled');
const presenceSeen = new Counter('parley_presence_events');
const unavailable = new Counter('parley_unavailable');
const throttled = new Counter('parley_throttled');
const failed = new Counter('parley_failed_calls');
const broken = new Counter('parley_broken_streams');

export const options = {
  scenarios: {
    people: {
      executor: 'per-vu-iterations',
      vus: endpoints,
      iterations: 1,
      maxDuration: `${Math.ceil(rampMs / 1000 + knob.seconds + 60)}s`,
      gracefulStop: '10s',
    },
  },
  // the published health limits of a pool
  thresholds: {
    parley_call_ms: ['avg<1000', 'p(95)<1000'],
    parley_send_ack_ms: ['avg<1000', 'p(95)<1000'],
    parley_delivery_ms: ['p(95)<2000'],
    parley_unavailable: ['count==0'],
    parley_throttled: ['count==0'],
    parley_failed_calls: ['count==0'],
    parley_broken_streams: ['count==0'],
    parley_messages_lost: ['count==0'],
    parley_messages_doubled: ['count==0'],
    parley_messages_acked: ['count>0'],
    parley_messages_delivered: ['count>0'],
  },
  summaryTrendStats: ['avg', 'p(50)', 'p(95)', 'p(99)', 'max', 'count'],
};

const client = new grpc.Client();
client.load(
  ['../../proto'],
  'parley/directory/v1/auth.proto',
  'parley/directory/v1/directory.proto',
  'parley/im/v1/im.proto',
  'parley/presence/v1/presence.proto',
  'parley/session/v1/session.proto',
);

/** Pseudo-random numbers that a seed repeats (mulberry32). */
function randomOf(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function uuid(random) {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16));
  hex[12] = '4';
  hex[16] = '89ab'[Math.floor(random() * 4)];
  return hex.join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

export default function endpoint() {
  const index = __VU - 1;
  const user = index % knob.users;
  const first = index < knob.users;
  const me = accounts[user];
  const random = randomOf(knob.seed * 65_537 + index);
  const other = () => accounts[(user + 1 + Math.floor(random() * (knob.users - 1))) % knob.users];
  const contacts = Array.from(
    { length: Math.min(knob.contacts, knob.users - 1) },
    (_, i) => accounts[(user + 1 + i) % knob.users].id,
  );
  const startsAt = (index / endpoints) * rampMs;
  const endsAt = rampMs + knob.seconds * 1000;
  const timers = new Set();
  const said = [];
  const seen = new Set();
  let tokens;
  let sessionId = '';
  let stream;
  let over = false;

  const after = (ms, work) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!over) work();
    }, ms);
    timers.add(timer);
  };
  const metadata = () => ({ metadata: { authorization: `Bearer ${tokens.accessToken}` } });

  /** Calls and measures; undefined when refused. */
  async function call(method, request, measure, params) {
    const began = Date.now();
    const answer = await client.asyncInvoke(method, request, params || metadata());
    measure.add(Date.now() - began);
    if (answer.status === grpc.StatusOK) return answer.message;
    if (answer.status === grpc.StatusUnavailable) unavailable.add(1);
    if (answer.status === grpc.StatusResourceExhausted) throttled.add(1);
    failed.add(1);
    console.error(`${method}: ${answer.status} ${answer.error ? answer.error.message : ''}`);
    return undefined;
  }

  /** Repeats `work` at the rate of the model, at random times (a Poisson process). */
  function live(rate, work) {
    const perSecond = rate * knob.rate;
    const wait = () => (-Math.log(1 - random()) / perSecond) * 1000;
    const next = () => after(wait(), () => work().then(next));
    next();
  }

  let partner = other();
  async function say() {
    if (said.length % MESSAGES_A_TALK === 0) partner = other();
    const messageId = uuid(random);
    const text = `load ${Date.now()} ${said.length} 訊息`;
    const request = { messageId, recipientId: partner.id, content: { text, format: 'TEXT_FORMAT_PLAIN' } };
    const answer = await call('parley.im.v1.ImService/SendMessage', request, sendAck);
    if (!answer) return;
    acked.add(1);
    said.push({ id: answer.eventId, with: partner.id });
  }
  const STATES = ['BUSY', 'ONLINE', 'BE_RIGHT_BACK', 'AWAY'];
  let state = 0;
  const setPresence = () => {
    const availability = `PREFERRED_AVAILABILITY_${STATES[state++ % STATES.length]}`;
    return call('parley.presence.v1.PresenceService/SetPresence', { requestId: uuid(random), availability }, calls);
  };
  const look = count =>
    call(
      'parley.presence.v1.PresenceService/GetPresence',
      { personIds: [...new Set(Array.from({ length: count }, () => other().id))] },
      calls,
    );
  async function search() {
    const query = other().displayName.slice(0, 6);
    const found = await call('parley.directory.v1.DirectoryService/SearchPeople', { query, limit: PEOPLE_A_SEARCH }, calls);
    const ids = found ? (found.people || []).map(p => p.id) : [];
    if (ids.length > 0) await call('parley.presence.v1.PresenceService/GetPresence', { personIds: ids }, calls);
  }
  async function watch() {
    const id = other().id;
    const change = (add, remove) =>
      call(
        'parley.session.v1.SessionService/Watch',
        { sessionId, commandId: uuid(random), addPersonIds: add, removePersonIds: remove },
        calls,
      );
    if (contacts.includes(id) || !(await change([id], []))) return;
    after(WATCH_MS, () => change([], [id]));
  }
  function keepSignedIn() {
    const left = Number(tokens.accessExpiresMs) - Number(tokens.serverTimeMs);
    after((left * 2) / 3, async () => {
      const next = await call('parley.directory.v1.AuthService/Refresh', { refreshToken: tokens.refreshToken }, calls, {});
      if (!next) return;
      tokens = next.tokens;
      await call('parley.session.v1.SessionService/Renew', { sessionId, commandId: uuid(random) }, calls);
      keepSignedIn();
    });
  }

  function onEvent(event) {
    if (event.presence) presenceSeen.add(1);
    if (event.connected) {
      sessionId = event.connected.sessionId;
      connected.add(Date.now() - opened);
      begin();
    }
    const im = event.im;
    if (!im || im.senderId === me.id || !im.content || !im.content.text.startsWith('load ')) return;
    if (seen.has(im.id)) return void doubled.add(1);
    seen.add(im.id);
    delivered.add(1);
    delivery.add(Date.now() - Number(im.content.text.split(' ')[1]));
  }

  let opened = 0;
  function openStream() {
    opened = Date.now();
    stream = new grpc.Stream(client, 'parley.session.v1.SessionService/Connect', metadata());
    stream.on('data', onEvent);
    stream.on('error', error => {
      if (over) return;
      console.error(`stream: ${error.code} ${error.message}`);
      broken.add(1);
      finish();
    });
    stream.on('end', () => {
      if (over) return;
      broken.add(1);
      finish();
    });
    stream.write({
      endpointId: `load-endpoint-${index}`,
      device: first ? 'DEVICE_TYPE_COMPUTER' : 'DEVICE_TYPE_MOBILE',
      clientVersion: 'load/1.0.0',
      machineState: 'MACHINE_STATE_ACTIVE',
      watchPersonIds: contacts,
    });
    stream.end();
  }

  /** What a person does, once; his other devices only listen. */
  function begin() {
    keepSignedIn();
    if (!first) return;
    live(PER_SECOND.message, say);
    live(PER_SECOND.presence, setPresence);
    live(PER_SECOND.poll, () => look(PEOPLE_A_POLL));
    live(PER_SECOND.search, search);
    live(PER_SECOND.watch, watch);
  }

  /** Everything that was acknowledged must be in the history, once. */
  async function account() {
    for (const id of [...new Set(said.map(s => s.with))]) {
      const kept = [];
      let cursor = '';
      do {
        const request = { withPersonId: id, cursor, limit: 100 };
        const page = await call('parley.im.v1.ImService/GetHistory', request, calls);
        if (!page) return;
        kept.push(...(page.events || []).map(e => e.id));
        cursor = page.nextCursor;
      } while (cursor);
      for (const { id: wanted } of said.filter(s => s.with === id)) {
        const times = kept.filter(k => k === wanted).length;
        if (times === 0) lost.add(1);
        if (times > 1) doubled.add(times - 1);
      }
    }
  }

  function finish() {
    over = true;
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
    const leave = () =>
      sessionId &&
      call('parley.session.v1.SessionService/Disconnect', { sessionId, commandId: uuid(random) }, calls);
    account()
      .then(leave)
      .then(() => client.close());
  }

  setTimeout(async () => {
    client.connect(knob.target, { plaintext: !knob.tls, timeout: '20s' });
    const credentials = { address: me.address, password: me.password, deviceLabel: 'load' };
    const answer = await call('parley.directory.v1.AuthService/SignIn', credentials, signIn, {});
    if (!answer) return client.close();
    tokens = answer.tokens;
    openStream();
    after(endsAt - startsAt, finish);
  }, startsAt);
}

export function handleSummary(data) {
  return knob.summary === '' ? {} : { [knob.summary]: JSON.stringify(data) };
}
