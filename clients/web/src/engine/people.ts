import { availabilityClass, type Person, type PresenceView } from '@parley/client';
import { background, type Context } from './context.ts';
import type { Found, PersonInfo, PresenceInfo } from './state.ts';

/** Names and presence of the people on the screen. */
export interface People {
  /** Sees to name and live presence of these from now on. */
  need(ids: Iterable<string>): void;
  /** Asks for all names again: they may have changed while the stream was down. */
  refresh(): void;
  search(query: string): Promise<Found>;
  stop(): void;
}

/** A short cut of the stream shows to nobody: only after this is presence called unknown, milliseconds. */
const UNKNOWN_AFTER_MS = 4_000;
/** People watched at most; the server allows 1,000. */
const MOST_WATCHED = 900;

/** As shown. */
export function presenceInfo(view: PresenceView): PresenceInfo {
  return {
    availability: availabilityClass(view.availability),
    activity: view.activity,
    note: view.note,
    mobile: view.mobileOnly,
    custom: { ...view.customActivity },
  };
}

/** As shown. */
export const personInfo = (person: Person): PersonInfo => ({
  id: person.id,
  displayName: person.displayName,
  address: person.primaryAddress,
  department: person.department,
  title: person.title,
  language: person.language,
  photoVersion: person.photoVersion,
  known: true,
});

const nobody = (id: string): PersonInfo => ({
  id,
  displayName: '',
  address: '',
  department: '',
  title: '',
  language: '',
  photoVersion: '',
  known: false,
});

/** See {@link People}. */
export function createPeople({ client, store, local, env, signal }: Context): People {
  const watched = new Set<string>();
  const offs: (() => void)[] = [];
  let asking: Set<string> | undefined;

  function showPresence(id: string): void {
    const live = client.presence.of(id);
    let unknown: (() => void) | undefined;
    const show = () => {
      if (signal.aborted) return;
      const view = live.getSnapshot();
      unknown?.();
      unknown = undefined;
      if (view.revision > 0n || store.of('presence', id) === undefined) store.put('presence', id, presenceInfo(view));
      else unknown = env.after(UNKNOWN_AFTER_MS, () => signal.aborted || store.put('presence', id, presenceInfo(view)));
    };
    offs.push(live.subscribe(show), () => unknown?.());
    show();
  }

  function showPerson(person: PersonInfo): void {
    store.put('person', person.id, person);
    const kept = local.get();
    const listed = kept.pins.includes(person.id) || kept.recent.some(([id]) => id === person.id);
    const before = kept.people[person.id];
    if (listed && (before?.displayName !== person.displayName || before.photoVersion !== person.photoVersion))
      local.update(data => ({ ...data, people: { ...data.people, [person.id]: person } }));
  }

  /** Names wanted in the same task are asked for together. */
  function ask(ids: Iterable<string>): void {
    if (asking) {
      for (const id of ids) asking.add(id);
      return;
    }
    const wanted = new Set(ids);
    asking = wanted;
    queueMicrotask(() => {
      asking = undefined;
      if (wanted.size > 0) background(fetchNames([...wanted]));
    });
  }

  async function fetchNames(ids: readonly string[]): Promise<void> {
    const found = await client.findPeople(ids);
    if (signal.aborted) return;
    for (const person of found) showPerson(personInfo(person));
    const there = new Set(found.map(person => person.id));
    for (const id of ids) if (!there.has(id)) store.put('person', id, nobody(id));
  }

  return {
    need(ids) {
      const all = [...ids];
      const kept = local.get().people;
      for (const id of all) if (!store.of('person', id) && kept[id]) store.put('person', id, kept[id]);
      const strangers = all.filter(id => !store.of('person', id)?.known);
      if (strangers.length > 0) ask(strangers);
      const fresh = all.filter(id => !watched.has(id)).slice(0, Math.max(0, MOST_WATCHED - watched.size));
      if (fresh.length === 0) return;
      for (const id of fresh) {
        watched.add(id);
        showPresence(id);
      }
      background(client.watch(fresh));
    },
    refresh: () => ask(store.idsOf('person')),
    async search(query) {
      const { people, truncated } = await client.services.directory.searchPeople({ query, limit: 30 });
      const presence =
        people.length === 0
          ? []
          : (await client.services.presence.getPresence({ personIds: people.map(person => person.id) })).views;
      return { people: people.map(personInfo), presence: presence.map(presenceInfo), truncated };
    },
    stop() {
      for (const off of offs) off();
    },
  };
}
