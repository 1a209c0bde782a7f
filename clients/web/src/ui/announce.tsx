import { makeStyles } from '@fluentui/react-components';
import { createContext, type ReactNode, use, useCallback, useState } from 'react';

const Context = createContext<(text: string) => void>(() => undefined);

/** Tells those who listen instead of looking. */
export const useAnnounce = () => use(Context);

const useStyles = makeStyles({
  hidden: {
    position: 'absolute',
    width: '1px',
    height: '1px',
    overflow: 'hidden',
    clipPath: 'inset(50%)',
    whiteSpace: 'nowrap',
  },
});

/** For texts that are only heard. */
export function Heard({ children, id }: { readonly children: ReactNode; readonly id?: string }) {
  return (
    <span className={useStyles().hidden} {...(id !== undefined && { id })}>
      {children}
    </span>
  );
}

/** Holds the region whose changes screen readers speak. */
export function AnnounceProvider({ children }: { readonly children: ReactNode }) {
  const styles = useStyles();
  const [said, setSaid] = useState({ text: '', times: 0 });
  const announce = useCallback((text: string) => setSaid(before => ({ text, times: before.times + 1 })), []);
  return (
    <Context value={announce}>
      {children}
      <div className={styles.hidden} role="status" data-testid="announcer">
        <span key={said.times}>{said.text}</span>
      </div>
    </Context>
  );
}
