import { availabilityClass, type ParleyClient, ParleyClientError, PreferredAvailability } from '@parley/client';
import { FindingKind, RecordState, type VerifiedRecord } from '@parley/contracts/archive/v1/archive';
import { until } from '@parley/testkit';
import type { Device, TestPerson, World } from '../scenario.ts';
import {
  type Evidence,
  formatReport,
  type Got,
  type Inbox,
  type Kept,
  type Lane,
  type Report,
  reconcile,
  type Sent,
} from './ledger.ts';

/** How much is said, and by whom. */
export interface TrafficOptions {
  /** Conversations of two; default 6. */
  readonly pairs?: number;
  /** How each pair is archived, in turn; default archived, critical, archived, not at all. */
  readonly lanes?: readonly Lane[];
  /** Mean time between two messages of one person, milliseconds; default 300. */
  readonly everyMs?: number;
  /** Every so manieth person has a second device; default 3. */
  readonly secondDeviceEvery?: number;
  /**
   * How long a watcher who has just come back may see nothing of the others, milliseconds: whoever has a new stream is
   * shown nothing until presence has said at what level he may see whom, which takes as long as presence is away.
   * Default 15,000.
   */
  readonly blindForMs?: number;
}

/** Steady traffic: people who write to each other all the time and watch each other's presence. */
export interface Traffic {
  /** Everybody who takes part. */
  readonly people: readonly TestPerson[];
  readonly sent: readonly Sent[];
  /** Acknowledged so far. */
  readonly acknowledged: number;
  /** Resolves when everybody has had a message acknowledged that he wrote after the call: all is well again. */
  flows(timeoutMs?: number): Promise<void>;
  /**
   * Resolves when everything acknowledged before the call has come to every device by itself. Throws, with the
   * reconciliation so far, when that takes too long or anything else is wrong; does not look into the archive, and
   * counts what was sent since the last call.
   */
  settle(timeoutMs?: number): Promise<Report>;
  /** Ends the writing and resolves when everything has an answer. */
  stop(timeoutMs?: number): Promise<void>;
  /**
   * Stops, lets everything arrive, changes presence once more, verifies the archive and reconciles. Throws, with the
   * whole reconciliation in the message, when anything is lost, repeated, out of order or otherwise wrong.
   */
  finish(timeoutMs?: number): Promise<Report>;
}

interface Speaker {
  readonly person: TestPerson;
  readonly client: ParleyClient;
  readonly to: TestPerson;
  readonly conversation: string;
  readonly lane: Lane;
  readonly sent: Sent[];
}

/** Comes back sooner than people's clients do, so that a test takes less time and servers have less of it. */
const IMPATIENT = { fraction: () => Math.random() / 8 };
/** Whoever has so many without an answer waits with the next: a busy machine must catch up some time. */
const MOST_WAITING = 100;
const DEFAULT_LANES: readonly Lane[] = ['archived', 'critical', 'archived', 'none'];

/** Makes the people, signs in their devices, waits until they see each other, and begins. */
export async function startTraffic(world: World, options: TrafficOptions = {}): Promise<Traffic> {
  const { pairs = 6, lanes = DEFAULT_LANES, everyMs = 300, secondDeviceEvery = 3, blindForMs = 15_000 } = options;
  const speakers: Speaker[] = [];
  const devices: { readonly name: string; readonly conversation: string; readonly got: Got[]; device: Device }[] = [];
  const flaps: string[] = [];
  const blindMs: number[] = [];
  const watches: { readonly who: string; readonly seen: () => string }[] = [];
  let calm = true;

  async function addDevice(person: TestPerson, name: string, conversation: string): Promise<Device> {
    const device = await world.device(person, { environment: IMPATIENT });
    const got: Got[] = [];
    for (const { id, key } of device.events) got.push({ id, key, atMs: performance.now() });
    device.client.onEvent(({ id, key }) => got.push({ id, key, atMs: performance.now() }));
    device.client.onMoved(({ id, key }) => {
      const at = got.findLastIndex(event => event.id === id);
      got[at] = { ...(got[at] as Got), key };
    });
    devices.push({ name, conversation, got, device });
    return device;
  }

  async function watch(watcher: Device, person: TestPerson): Promise<void> {
    await watcher.client.watch([person.id]);
    const { connection } = watcher.client;
    const shown = watcher.client.presence.of(person.id);
    const seen = () => availabilityClass(shown.getSnapshot().availability);
    const who = `${watcher.person.displayName} saw ${person.displayName}`;
    await until(`${watcher.person.displayName} to see ${person.displayName}`, () => seen() === 'available');
    watches.push({ who, seen });
    const flap = (what: string) => calm && flaps.push(`${who} ${what} at ${new Date().toISOString()}`);
    let session = sessionOf(watcher.client);
    let backMs: number | undefined;
    let patience: NodeJS.Timeout | undefined;
    connection.subscribe(() => {
      const next = sessionOf(watcher.client);
      if (next === session) return;
      session = next;
      clearTimeout(patience);
      backMs = next === undefined ? undefined : performance.now();
      const late = () => seen() === 'unknown' && flap(`not at all, ${blindForMs} ms after being back`);
      if (next !== undefined) patience = setTimeout(late, blindForMs).unref();
    });
    shown.subscribe(() => {
      const now = seen();
      if (now === 'unknown') {
        // without a stream nobody knows anything; with one, what was known stays
        if (session !== undefined && sessionOf(watcher.client) === session) flap('unknown, with his stream up');
        return;
      }
      if (backMs !== undefined) blindMs.push(performance.now() - backMs);
      backMs = undefined;
      if (now !== 'available') flap(now);
    });
  }

  /** Whoever is there is seen by everybody again, at the latest when all else is well. */
  async function allSeen(timeoutMs: number): Promise<void> {
    const blind = () => watches.filter(({ seen }) => seen() !== 'available');
    await until('everybody to see the others', () => blind().length === 0, { timeoutMs }).catch(() =>
      flaps.push(...blind().map(({ who, seen }) => `${who} ${seen()} after all was whole again`)),
    );
  }

  for (let i = 0; i < pairs; i++) {
    const lane = lanes[i % lanes.length] as Lane;
    const conversation = `conversation ${i}`;
    const [a, b] = await Promise.all([world.person(`Left ${i}`), world.person(`Right ${i}`)]);
    const policy = {
      archiveInternal: lane !== 'none',
      archiveExternal: lane !== 'none',
      critical: lane === 'critical',
    };
    await Promise.all([world.archiving(a, policy), world.archiving(b, policy)]);
    const [left, right] = await Promise.all([
      addDevice(a, `${a.displayName}'s device`, conversation),
      addDevice(b, `${b.displayName}'s device`, conversation),
    ]);
    if (i % secondDeviceEvery === 0) await addDevice(a, `${a.displayName}'s second device`, conversation);
    await Promise.all([watch(left, b), watch(right, a)]);
    for (const [from, to] of [
      [left, b],
      [right, a],
    ] as const)
      speakers.push({ person: from.person, client: from.client, to, conversation, lane, sent: [] });
  }

  let settledMs = 0;
  let over = false;
  world.ended.addEventListener('abort', () => (over = true), { once: true });
  const loops = speakers.map(async speaker => {
    // everybody begins at another moment
    for (let wait = everyMs * Math.random(); !over; wait = everyMs * (0.5 + Math.random())) {
      await new Promise(resolve => setTimeout(resolve, wait));
      if (!over && speaker.sent.at(-MOST_WAITING)?.outcome !== 'waiting') say(speaker);
    }
  });

  function say({ person, client, to, conversation, lane, sent }: Speaker): void {
    const number = sent.length;
    const { messageId, acknowledged } = client.send(to.id, `${person.displayName} says ${number}`);
    const message: Sent = {
      id: `${person.id}.${messageId}`,
      conversation,
      author: person.displayName,
      number,
      lane,
      sentMs: performance.now(),
      outcome: 'waiting',
    };
    sent.push(message);
    acknowledged.then(
      ({ key }) => Object.assign(message, { outcome: 'acknowledged', key, settledMs: performance.now() }),
      (error: unknown) => {
        const code = error instanceof ParleyClientError ? error.code : String(error);
        const outcome = code === 'im.outcome_unknown' || code === 'client.closed' ? 'unknown' : 'refused';
        Object.assign(message, { outcome, code, settledMs: performance.now() });
      },
    );
  }

  const inboxes = (): Inbox[] =>
    devices.map(({ name, conversation, got }) => ({ device: name, conversation, got: [...got] }));

  /** Waits until everything that was acknowledged by then is everywhere; the reconciliation names what is not. */
  async function arrived(asOfMs: number, timeoutMs: number): Promise<void> {
    const wanted = Map.groupBy(
      all().filter(m => m.outcome === 'acknowledged' && (m.settledMs ?? 0) <= asOfMs),
      m => m.conversation,
    );
    const complete = () =>
      devices.every(({ conversation, got }) => {
        const here = new Map(got.map(event => [event.id, event.key]));
        return (wanted.get(conversation) ?? []).every(message => here.get(message.id) === message.key);
      });
    await until('everything to arrive by itself', complete, { timeoutMs, everyMs: 100 }).catch(() => undefined);
  }

  const all = () => speakers.flatMap(speaker => speaker.sent);

  async function stop(timeoutMs = 60_000): Promise<void> {
    over = true;
    await Promise.all(loops);
    await until('every message to be answered', () => all().every(message => message.outcome !== 'waiting'), {
      timeoutMs,
    }).catch(() => undefined); // the reconciliation names them
  }

  /** A device that knows nothing yet finds everything in the store. */
  async function lateInboxes(): Promise<Inbox[]> {
    return Promise.all(
      speakers.map(async ({ person, conversation }) => {
        const { client, events } = await world.device(person);
        await client.sync();
        const got = events.map(({ id, key }) => ({ id, key, atMs: 0 }));
        await client.signOut();
        return { device: `a new device of ${person.displayName}`, conversation, got };
      }),
    );
  }

  /** What the server answers page by page: there is nothing between it and the reconciliation that drops repetitions. */
  async function histories(): Promise<Inbox[]> {
    return Promise.all(
      speakers.map(async ({ person, client, to, conversation }) => {
        const newestFirst: Got[] = [];
        let cursor = '';
        do {
          const request = { withPersonId: to.id, cursor, limit: 200 };
          const page = await until('a page of the history', () => client.services.im.getHistory(request), {
            everyMs: 500,
          });
          newestFirst.push(...page.events.map(({ id, key }) => ({ id, key, atMs: 0 })));
          cursor = page.nextCursor;
        } while (cursor !== '');
        const got = newestFirst.reverse();
        return { device: `the history for ${person.displayName}`, conversation, got };
      }),
    );
  }

  /** Presence still works: everybody becomes busy, and everybody sees it. */
  async function stillWatched(): Promise<void> {
    calm = false;
    await Promise.all(speakers.map(speaker => speaker.client.setPresence(PreferredAvailability.BUSY)));
    await Promise.all(
      speakers.map(({ person, client, to }) =>
        until(
          `${person.displayName} to see ${to.displayName} busy`,
          () => availabilityClass(client.presence.of(to.id).getSnapshot().availability) === 'busy',
          { timeoutMs: 30_000 },
        ),
      ),
    );
  }

  async function archive(timeoutMs: number) {
    let kept = new Map<string, Kept>();
    let findings: string[] = [];
    const complete = async () => {
      const verified = await world.verify();
      findings = verified.findings.map(({ kind, linkId, detail }) => `${nameOf(kind)} ${linkId} ${detail}`);
      kept = keptOf(verified.records);
      return all().every(({ id, lane, outcome }) => {
        const { times = 0, denied = false } = kept.get(id) ?? {};
        return outcome === 'acknowledged' ? lane === 'none' || times > 0 : times === 0 || denied;
      });
    };
    await until('the archive to hold everything', complete, { timeoutMs, everyMs: 500 }).catch(() => undefined);
    return { kept, findings };
  }

  return {
    people: speakers.map(({ person }) => person),
    get sent() {
      return all();
    },
    get acknowledged() {
      return all().filter(message => message.outcome === 'acknowledged').length;
    },
    async flows(timeoutMs = 60_000) {
      const from = speakers.map(({ sent }) => sent.length);
      const behind = () =>
        speakers.filter(({ sent }, i) => !sent.slice(from[i]).some(message => message.outcome === 'acknowledged'));
      await until('everybody to get on', () => behind().length === 0, { timeoutMs }).catch((error: unknown) => {
        const names = behind().map(({ person, sent, lane, client }) => {
          const { outcome, code } = sent.at(-1) ?? {};
          return `${person.displayName} (${lane}, ${client.connection.getSnapshot().phase}): ${outcome} ${code ?? ''}`;
        });
        throw new Error(`these do not get on: ${names.join('; ')}`, { cause: error });
      });
    },
    stop,
    async settle(timeoutMs = 60_000) {
      const asOfMs = performance.now();
      const fromMs = settledMs;
      settledMs = asOfMs;
      await arrived(asOfMs, timeoutMs);
      await allSeen(timeoutMs);
      const seen = { flaps, blindMs: blindMs.splice(0) };
      return judged({ sent: all(), inboxes: inboxes(), kept: undefined, findings: [], asOfMs, fromMs, ...seen });
    },
    async finish(timeoutMs = 60_000) {
      await stop(timeoutMs);
      await arrived(Number.POSITIVE_INFINITY, timeoutMs);
      const live = inboxes();
      await allSeen(timeoutMs);
      await stillWatched();
      const late = await lateInboxes();
      const read = { inboxes: [...live, ...late], histories: await histories() };
      return judged({ sent: all(), ...read, flaps, blindMs, ...(await archive(timeoutMs)) });
    },
  };
}

/** The session of an open stream. */
function sessionOf(client: ParleyClient): string | undefined {
  const state = client.connection.getSnapshot();
  return state.phase === 'online' ? state.sessionId : undefined;
}

function judged(evidence: Evidence): Report {
  const report = reconcile(evidence);
  if (report.problems.length > 0) throw new Error(`the reconciliation failed\n${formatReport(report)}`);
  return report;
}

const nameOf = (kind: FindingKind): string =>
  Object.entries(FindingKind).find(([, value]) => value === kind)?.[0] ?? String(kind);

/** What the links say in their order; a repetition after a denial says that it was accepted after all. */
function keptOf(records: readonly VerifiedRecord[]): Map<string, Kept> {
  const kept = new Map<string, Kept>();
  for (const { recordId, state } of records) {
    const { times, denied } = kept.get(recordId) ?? { times: 0, denied: false };
    if (state === RecordState.ARCHIVED) kept.set(recordId, { times: times + 1, denied, deniedLast: false });
    else if (state === RecordState.DUPLICATE) kept.set(recordId, { times, denied, deniedLast: false });
    else if (state === RecordState.NOT_ACCEPTED) kept.set(recordId, { times, denied: true, deniedLast: true });
  }
  return kept;
}
