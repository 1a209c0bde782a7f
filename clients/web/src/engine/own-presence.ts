import { type MyPresence, PreferredAvailability } from '@parley/client';
import { background, type Context } from './context.ts';
import { presenceInfo } from './people.ts';

/** One's own presence: what others see, and what was chosen. */
export interface OwnPresence {
  /** Asks the server; the stream is open. */
  refresh(): void;
  choose(choice: PreferredAvailability): Promise<void>;
  note(text: string): Promise<void>;
  stop(): void;
}

/** Several changes within this time are asked for once, milliseconds. */
const GATHER_MS = 150;

/** See {@link OwnPresence}. */
export function createOwnPresence({ selfId, client, store, env, signal }: Context): OwnPresence {
  let revision = -1n;
  let soon: (() => void) | undefined;

  function show({ view, preferred }: MyPresence): void {
    if (!view || signal.aborted || view.revision < revision) return;
    revision = view.revision;
    store.set('me', { ...presenceInfo(view), preferred });
  }

  async function ask(): Promise<void> {
    const { presence } = await client.services.presence.getMyPresence({});
    if (presence) show(presence);
  }

  // another device, or time alone, can change it
  const live = client.presence.of(selfId);
  const off = live.subscribe(() => {
    if (live.getSnapshot().revision <= revision) return;
    soon ??= env.after(GATHER_MS, () => {
      soon = undefined;
      background(ask());
    });
  });

  return {
    refresh: () => background(ask()),
    choose: async choice =>
      show(await client.setPresence(choice === PreferredAvailability.UNSPECIFIED ? undefined : choice)),
    note: async text => show(await client.setNote(text)),
    stop() {
      soon?.();
      off();
    },
  };
}
