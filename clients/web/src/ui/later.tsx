import { type ComponentType, type ReactNode, useSyncExternalStore } from 'react';

/** A component whose code is fetched when it is wanted. */
export interface Later<P> {
  (props: P & { readonly meanwhile?: ReactNode }): ReactNode;
  /** Fetches the code before it is wanted. */
  preload(): Promise<void>;
}

/**
 * As React.lazy, without Suspense: that holds back what is there for up to 300 ms, so that fallbacks do not flicker,
 * and a page that starts has nothing to flicker.
 */
export function later<P extends object>(load: () => Promise<ComponentType<P>>): Later<P> {
  let loaded: ComponentType<P> | undefined;
  let loading: Promise<void> | undefined;
  const preload = () => {
    loading ??= load().then(component => void (loaded = component));
    return loading;
  };

  // React looks again after it has subscribed: the code may come between a screen's rendering and that
  const subscribe = (again: () => void) => {
    void preload().then(again);
    return () => undefined;
  };

  function LaterComponent({ meanwhile = null, ...props }: P & { readonly meanwhile?: ReactNode }) {
    const Loaded = useSyncExternalStore(subscribe, () => loaded);
    return Loaded ? <Loaded {...(props as unknown as P)} /> : meanwhile;
  }
  return Object.assign(LaterComponent, { preload });
}
