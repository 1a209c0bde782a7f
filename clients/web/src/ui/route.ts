import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
const tell = () => listeners.forEach(listener => listener());

/** Path of a conversation; opens it in whatever tab. */
export const pathOf = (personId: string): string => `/c/${encodeURIComponent(personId)}`;

/** The person whose conversation a path shows; undefined for none. */
export function personOfPath(path: string): string | undefined {
  const match = /^\/c\/([A-Za-z0-9_-]{1,64})\/?$/.exec(path);
  return match?.[1];
}

/** Goes to a path without loading the page. */
export function go(path: string): void {
  if (location.pathname === path) return;
  history.pushState(null, '', path);
  tell();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) addEventListener('popstate', tell);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) removeEventListener('popstate', tell);
  };
}

/** The person whose conversation is shown. */
export const useOpenPerson = () => useSyncExternalStore(subscribe, () => personOfPath(location.pathname));
