import { type ImEvent, toClientError } from '@parley/client';
import { background, type Context } from './context.ts';
import { type Counting, otherOf } from './counting.ts';
import { type FailedMessage, mergeMessages, refusalOf } from './messages.ts';
import type { People } from './people.ts';
import type { Message } from './state.ts';

/** Conversations: messages, history, what is on its way, what is unread. */
export interface Talks {
  /** Shows what this browser remembers, before the server has answered. */
  begin(): void;
  /** The stream is open: fills the list of conversations. */
  online(): void;
  open(personId: string): Promise<void>;
  older(personId: string): Promise<void>;
  send(personId: string, messageId: string, text: string): void;
  retry(personId: string, id: string): void;
  discard(personId: string, id: string): void;
  markRead(personId: string): void;
  stop(): void;
}

/** Messages of the newest page, and of each older one. */
const FIRST_PAGE = 40;
const PAGE = 60;
/** Conversations whose newest page is loaded before they are opened, so that the list can show the last message. */
const PREVIEWS = 30;
/** People remembered in the list. */
const MOST_RECENT = 300;

/** See {@link Talks}. */
export function createTalks(context: Context, people: People, counting: Counting): Talks {
  const { selfId, client, store, local, signal } = context;
  const shown = new Set<string>();
  const discarded = new Set<string>();
  const refreshers = new Map<string, () => void>();
  const offs: (() => void)[] = [];

  function show(personId: string): void {
    const conversation = client.conversations.with(personId);
    const update = () => {
      if (signal.aborted) return;
      const { messages } = conversation.getSnapshot();
      keepFailed(personId, messages);
      const before = store.of('talk', personId) ?? [];
      const failed = local.get().failed[personId] ?? [];
      const merged = mergeMessages(selfId, before, messages, failed, discarded);
      store.put('talk', personId, merged);
      noteRecent(personId, merged);
    };
    refreshers.set(personId, update);
    if (!shown.has(personId)) {
      shown.add(personId);
      offs.push(conversation.subscribe(update));
    }
    update();
  }

  /** A refusal outlives the tab that got it. */
  function keepFailed(personId: string, messages: readonly { id: string; state: string; error?: Error }[]): void {
    const kept = local.get().failed[personId] ?? [];
    let next: readonly FailedMessage[] = kept;
    for (const message of messages) {
      const messageId = message.id.slice(selfId.length + 1);
      const at = next.findIndex(one => one.messageId === messageId);
      if (message.state === 'failed' && at < 0 && message.error && !discarded.has(message.id)) {
        const { text, timeMs } = message as unknown as Message;
        next = [...next, { messageId, text, timeMs, refusal: refusalOf(toClientError(message.error)) }];
      } else if (message.state !== 'failed' && at >= 0) next = next.toSpliced(at, 1);
    }
    if (next !== kept) local.update(data => ({ ...data, failed: { ...data.failed, [personId]: next } }));
  }

  function noteRecent(personId: string, messages: readonly Message[]): void {
    const last = messages.at(-1);
    if (!last) return;
    const { recent } = local.get();
    if (recent.some(([id, ms]) => id === personId && ms >= last.timeMs)) return;
    const others = recent.filter(([id]) => id !== personId);
    const place = others.findIndex(([, ms]) => ms < last.timeMs);
    const entry = [personId, last.timeMs] as const;
    const next = others.toSpliced(place < 0 ? others.length : place, 0, entry).slice(0, MOST_RECENT);
    local.update(data => ({ ...data, recent: next }));
    showRecent();
  }

  function showRecent(): void {
    const ids = local.get().recent.map(([id]) => id);
    store.set('recent', ids);
    people.need(ids);
  }

  function arrived(event: ImEvent): void {
    if (signal.aborted) return;
    const { id, senderId, recipientIds } = event;
    const other = otherOf(selfId, event);
    if (other !== undefined && !shown.has(other)) show(other);
    const changed = counting.count({ id, senderId, recipientIds, acceptedMs: Number(event.acceptedMs) });
    if (changed !== undefined) showUnread(changed);
  }

  function showUnread(personId: string): void {
    store.put('unread', personId, counting.unreadOf(personId) || undefined);
    local.update(data => data);
  }

  async function load(personId: string, cursor: string, limit: number): Promise<void> {
    store.put('paging', personId, { state: 'loading', cursor });
    try {
      const next = await client.loadHistory(personId, { cursor, limit, signal });
      store.put('paging', personId, { state: next === undefined ? 'all' : 'more', cursor: next ?? '' });
    } catch (error) {
      if (!signal.aborted) store.put('paging', personId, { state: 'failed', cursor, refusal: refusalOf(error) });
    }
  }

  const loaded = (personId: string) => {
    const state = store.of('paging', personId)?.state;
    return state === 'more' || state === 'all' || state === 'loading';
  };

  async function firstPage(personId: string): Promise<void> {
    show(personId);
    if (!loaded(personId)) await load(personId, '', FIRST_PAGE);
  }

  /** One after the other, so that what somebody opens meanwhile does not wait for all of them. */
  async function loadPreviews(): Promise<void> {
    const failed = store.idsOf('paging').filter(id => store.of('paging', id)?.state === 'failed');
    const listed = local.get().recent.slice(0, PREVIEWS);
    for (const id of new Set([...failed, ...listed.map(([id]) => id)])) {
      signal.throwIfAborted();
      if (!loaded(id)) await firstPage(id);
    }
  }

  const find = (personId: string, id: string) => store.of('talk', personId)?.find(message => message.id === id);

  function forgetFailed(personId: string, id: string): void {
    const messageId = id.slice(selfId.length + 1);
    const rest = (local.get().failed[personId] ?? []).filter(message => message.messageId !== messageId);
    local.update(data => ({ ...data, failed: { ...data.failed, [personId]: rest } }));
  }

  return {
    begin() {
      offs.push(client.onEvent(arrived));
      // conversations that messages left behind by an earlier run bring back
      const listed = client.conversations.list;
      offs.push(listed.subscribe(() => listed.getSnapshot().forEach(id => shown.has(id) || show(id))));
      const { recent, failed } = local.get();
      // a page that the tab before was loading will not come
      for (const id of store.idsOf('paging'))
        if (store.of('paging', id)?.state === 'loading') store.put('paging', id, undefined);
      showRecent();
      for (const [id] of recent) showUnread(id);
      for (const id of new Set([...store.idsOf('talk'), ...Object.keys(failed)])) show(id);
    },
    online: () => background(loadPreviews()),
    async open(personId) {
      people.need([personId]);
      await firstPage(personId);
    },
    async older(personId) {
      const paging = store.of('paging', personId);
      if (paging?.state === 'more' || paging?.state === 'failed')
        await load(personId, paging.cursor, paging.cursor === '' ? FIRST_PAGE : PAGE);
    },
    send(personId, messageId, text) {
      show(personId);
      const known = find(personId, `${selfId}.${messageId}`);
      if (known && known.state !== 'failed') return;
      client.send(personId, text, { messageId });
    },
    retry(personId, id) {
      const message = find(personId, id);
      if (message?.state !== 'failed') return;
      forgetFailed(personId, id);
      client.send(personId, message.text, { messageId: id.slice(selfId.length + 1) });
    },
    discard(personId, id) {
      if (find(personId, id)?.state !== 'failed') return;
      discarded.add(id);
      forgetFailed(personId, id);
      refreshers.get(personId)?.();
    },
    markRead(personId) {
      counting.read(personId);
      showUnread(personId);
    },
    stop() {
      for (const off of offs) off();
    },
  };
}
