import type { Tabs } from '../tabs/tabs.ts';

/** Input within this time is told once, milliseconds. */
const TELL_EVERY_MS = 20_000;

/** Tells the leading tab that somebody uses this one, and that the network came back. */
export function watchInput(tabs: Tabs): void {
  let told = 0;
  const onInput = () => {
    const now = Date.now();
    if (now - told < TELL_EVERY_MS) return;
    told = now;
    tabs.note({ kind: 'activity', lastInputMs: now });
  };
  for (const type of ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart'])
    addEventListener(type, onInput, { passive: true, capture: true });
  addEventListener('online', () => tabs.note({ kind: 'online' }));
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'visible') return;
    onInput();
    tabs.note({ kind: 'online' });
  });
}
