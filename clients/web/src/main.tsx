import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { startEngine } from './engine/engine.ts';
import { refusalOf } from './engine/messages.ts';
import { broadcastChannel, webLock } from './tabs/ports.ts';
import { createTabs, type Tabs } from './tabs/tabs.ts';
import { App, preloadScreen } from './ui/app.tsx';
import { CrashScreen, UnsupportedScreen } from './ui/crash-screen.tsx';
import { watchInput } from './ui/watch-input.ts';

const after = (ms: number, callback: () => void) => {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
};
const uuid = () => crypto.randomUUID();

/** Joins the other tabs of this browser. */
function joinTabs(): Tabs {
  let flush = () => undefined as void;
  const tabs = createTabs({
    tabId: uuid(),
    channel: broadcastChannel('parley'),
    lock: webLock('parley.leader'),
    after,
    uuid,
    refusalOf,
    visible: () => document.visibilityState === 'visible',
    lead(store) {
      const engine = startEngine(store, {
        baseUrl: location.origin,
        storage: localStorage,
        now: () => Date.now(),
        after,
        uuid,
      });
      flush = engine.flush;
      return engine;
    },
  });
  // the files of this page are gone when a newer version was installed
  addEventListener('vite:preloadError', () => location.reload());
  addEventListener('pagehide', () => flush());
  watchInput(tabs);
  return tabs;
}

preloadScreen(localStorage.getItem('parley.tokens') !== null);
const supported = isSecureContext && 'locks' in navigator && 'BroadcastChannel' in globalThis;
const nonce = document.querySelector<HTMLElement>('[property="csp-nonce"]')?.nonce ?? '';
createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <CrashScreen>{supported ? <App tabs={joinTabs()} nonce={nonce} /> : <UnsupportedScreen />}</CrashScreen>
  </StrictMode>,
);
