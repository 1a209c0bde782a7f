/** An event, as far as counting goes. */
export interface Arrival {
  readonly id: string;
  readonly senderId: string;
  readonly recipientIds: readonly string[];
  readonly acceptedMs: number;
}

/** What of the counting outlives the page. */
export interface CountingState {
  /** Messages not looked at, by person. */
  readonly unread: Readonly<Record<string, number>>;
  /** Everything accepted up to then has been counted, by the server's clock; 0 before the first synchronisation. */
  readonly countedToMs: number;
  /** Events after that which have been counted: id and time. */
  readonly counted: readonly (readonly [id: string, acceptedMs: number])[];
}

/** Nothing counted yet. */
export const nothingCounted: CountingState = { unread: {}, countedToMs: 0, counted: [] };

/** Counts unread messages by arrival. */
export interface Counting {
  /**
   * Counts an event once, however often it comes; tells whose number changed. What comes from others is unread; who
   * writes himself, on whatever device, has read what came before. So on a new device what came after one's own last
   * message is unread.
   */
  count(event: Arrival): string | undefined;
  /** A synchronisation is complete: what is old enough cannot come for the first time any more. */
  settle(): void;
  /** Everything from that person has been looked at. */
  read(personId: string): void;
  unreadOf(personId: string): number;
  state(): CountingState;
}

/** An event can become visible this long after the time it carries (the server allows 20 s), milliseconds. */
const LATE_MS = 180_000;
/** Events remembered at most. */
const MOST = 5_000;

/** The other person of an event between two. */
export const otherOf = (selfId: string, { senderId, recipientIds }: Omit<Arrival, 'id' | 'acceptedMs'>) =>
  senderId === selfId ? recipientIds.find(id => id !== selfId) : senderId;

/** See {@link Counting}. */
export function createCounting(selfId: string, initial: CountingState): Counting {
  const unread = new Map(Object.entries(initial.unread));
  const counted = new Map(initial.counted);
  let { countedToMs } = initial;

  return {
    count(event) {
      const other = otherOf(selfId, event);
      if (other === undefined || event.acceptedMs <= countedToMs || counted.has(event.id)) return undefined;
      counted.set(event.id, event.acceptedMs);
      for (const oldest of counted.keys()) {
        if (counted.size <= MOST) break;
        counted.delete(oldest);
      }
      if (event.senderId === selfId) unread.delete(other);
      else unread.set(other, (unread.get(other) ?? 0) + 1);
      return other;
    },
    settle() {
      let newest = 0;
      for (const ms of counted.values()) newest = Math.max(newest, ms);
      countedToMs = Math.max(countedToMs, newest - LATE_MS);
      for (const [id, ms] of counted) if (ms <= countedToMs) counted.delete(id);
    },
    read: personId => void unread.delete(personId),
    unreadOf: personId => unread.get(personId) ?? 0,
    state: () => ({ unread: Object.fromEntries(unread), countedToMs, counted: [...counted] }),
  };
}
