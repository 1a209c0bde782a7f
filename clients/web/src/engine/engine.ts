import { createParleyClient, DeviceType, type ParleyClient, webOutboxStore, webTokenStore } from '@parley/client';
import type { Leadership } from '../tabs/tabs.ts';
import { createActivity } from './activity.ts';
import { connectionInfo, sessionInfo } from './connection.ts';
import { background, type Context, type EngineEnvironment } from './context.ts';
import { type Counting, createCounting } from './counting.ts';
import { createLocalStore } from './local-data.ts';
import { createOwnPresence } from './own-presence.ts';
import { createPeople, personInfo } from './people.ts';
import { createPhotos } from './photos.ts';
import { type Commands, type TabNote, type TypedStore, typedStore } from './state.ts';
import { createTalks } from './talks.ts';

/** Name of this program, told to the server. */
export const CLIENT_NAME = 'parley-web';
const ENDPOINT_KEY = 'parley.endpoint';

/** What the leading tab runs: the one client of this browser. */
export interface EngineOptions extends EngineEnvironment {
  readonly baseUrl: string;
  readonly storage: Storage;
  readonly uuid: () => string;
}

/** One signed-in person. */
interface Run {
  readonly personId: string;
  readonly client: ParleyClient;
  readonly commands: Omit<{ [K in keyof Commands]: (...args: Parameters<Commands[K]>) => unknown }, 'authChanged'>;
  readonly note: (note: TabNote) => void;
  stop(): void;
  /** Writes what this browser is to remember. */
  flush(): void;
}

/** Leads: `shared` is what all tabs show. */
export function startEngine(
  shared: Parameters<typeof typedStore>[0],
  options: EngineOptions,
): Leadership & { flush(): void } {
  const store = typedStore(shared);
  let run: Run | undefined;
  let stopped = false;
  let begun: Promise<void> = Promise.resolve();

  function signedOut(reason?: 'ended'): void {
    run?.stop();
    run = undefined;
    store.clear();
    store.set('session', { kind: 'signed-out', ...(reason && { reason }) });
  }

  /** Takes up whoever's tokens there are. */
  async function begin(): Promise<void> {
    const tokens = await webTokenStore(options.storage).load();
    if (stopped) return;
    if (!tokens) return signedOut();
    const ended = run && run.client.connection.getSnapshot().phase === 'ended';
    if (run?.personId === tokens.personId && !ended) return;
    run?.stop();
    const before = store.get('session');
    const same = before !== undefined && 'personId' in before && before.personId === tokens.personId;
    if (!same) store.clear(); // else another tab led until now, and what it knew stays on the screen
    if (!same || before.kind === 'password-change') store.set('session', { kind: 'starting' });
    run = startRun(tokens.personId, store, options, () => signedOut('ended'));
  }

  const next = (work: () => Promise<void>) => {
    begun = begun.then(work, work);
    return begun;
  };
  background(next(begin));

  return {
    async call(method, args) {
      await begun.catch(() => undefined);
      if (method === 'authChanged') return next(begin);
      const mine = run;
      if (!mine) throw { code: 'client.signed_out', params: {} };
      if (method === 'signOut') {
        const { client } = mine;
        mine.commands.signOut();
        run = undefined;
        store.clear();
        store.set('session', { kind: 'signed-out' });
        // the sign-in is forgotten here even if the server cannot be told
        return void background(client.signOut().finally(() => mine.stop()));
      }
      const command = (mine.commands as Record<string, ((...args: unknown[]) => unknown) | undefined>)[method];
      if (!command || !Object.hasOwn(mine.commands, method)) throw { code: 'web.unknown_command', params: { method } };
      return command(...args);
    },
    note: value => run?.note(value as TabNote),
    stop() {
      stopped = true;
      run?.stop();
      run = undefined;
    },
    flush: () => run?.flush(),
  };
}

function startRun(personId: string, store: TypedStore, options: EngineOptions, onSignedOut: () => void): Run {
  const { storage, baseUrl } = options;
  const ending = new AbortController();
  const { signal } = ending;
  let counting: Counting | undefined;
  const local = createLocalStore(storage, personId, options.after, initial => {
    const made = createCounting(personId, initial);
    counting = made;
    return made.state;
  });
  const counted = counting as unknown as Counting;
  const cursorKey = `parley.cursor.${personId}`;
  const client = createParleyClient({
    baseUrl,
    name: CLIENT_NAME,
    device: DeviceType.WEB,
    endpointId: endpointId(options),
    tokens: webTokenStore(storage),
    outbox: webOutboxStore(storage, 'parley.outbox'),
    cursors: {
      load: async () => storage.getItem(cursorKey) ?? undefined,
      async save(cursor) {
        counted.settle();
        local.flush(); // what a cursor passes over must have been counted
        storage.setItem(cursorKey, cursor);
      },
    },
  });
  const context: Context = { selfId: personId, client, store, local, env: options, signal };
  const people = createPeople(context);
  const photos = createPhotos(client, signal);
  const talks = createTalks(context, people, counted);
  const own = createOwnPresence(context);
  const activity = createActivity(options, state => background(client.reportActivity(state)));

  async function whoAmI(): Promise<void> {
    const { person } = await client.services.directory.getMe({});
    if (!person || signal.aborted) return;
    store.put('person', personId, personInfo(person));
    local.update(data => ({ ...data, people: { ...data.people, [personId]: personInfo(person) } }));
  }

  function show(): void {
    if (signal.aborted) return;
    const state = client.connection.getSnapshot();
    const connection = connectionInfo(state);
    if (connection) store.set('connection', connection);
    const session = sessionInfo(state, personId);
    if (session?.kind === 'signed-out') return onSignedOut();
    if (session) store.set('session', session);
    if (state.phase !== 'online') return;
    background(whoAmI());
    own.refresh();
    people.refresh();
    talks.online();
  }
  const showPins = () => {
    const { pins } = local.get();
    store.set('pins', pins);
    people.need(pins);
  };
  const connect = () => background(client.connect({ signal }));

  const off = client.connection.subscribe(show);
  people.need([personId]);
  showPins();
  talks.begin();
  store.set('connection', { phase: 'connecting' });
  connect();

  function reconnect(): void {
    if (client.connection.getSnapshot().phase === 'ended') connect();
    else client.wake();
  }

  function stop(): void {
    if (signal.aborted) return;
    local.flush();
    off();
    people.stop();
    talks.stop();
    own.stop();
    activity.stop();
    ending.abort();
    background(client.close());
  }

  return {
    personId,
    client,
    stop,
    flush: () => local.flush(),
    note(note) {
      if (note.kind === 'activity') activity.input(note.lastInputMs);
      else reconnect();
    },
    commands: {
      signOut() {
        local.signedOut();
        storage.removeItem('parley.outbox');
        off();
        ending.abort();
      },
      reconnect,
      open: talks.open,
      older: talks.older,
      send: talks.send,
      retry: talks.retry,
      discard: talks.discard,
      markRead: talks.markRead,
      pin(id) {
        local.update(data => (data.pins.includes(id) ? data : { ...data, pins: [...data.pins, id] }));
        showPins();
      },
      unpin(id) {
        local.update(data => ({ ...data, pins: data.pins.filter(pinned => pinned !== id) }));
        showPins();
      },
      search: people.search,
      photo: photos.of,
      setPresence: own.choose,
      setNote: own.note,
    },
  };
}

/** Id of this browser as a device; all tabs, today and tomorrow, are one. */
function endpointId({ storage, uuid }: EngineOptions): string {
  const kept = storage.getItem(ENDPOINT_KEY);
  if (kept !== null && /^[A-Za-z0-9_-]{8,64}$/.test(kept)) return kept;
  const made = uuid();
  storage.setItem(ENDPOINT_KEY, made);
  return made;
}
