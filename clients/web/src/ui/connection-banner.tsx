import {
  Button,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  MessageBarTitle,
  makeStyles,
} from '@fluentui/react-components';
import { useEffect, useRef, useState } from 'react';
import { useAnnounce } from './announce.tsx';
import { useParley, useShared } from './parley.tsx';
import { useTexts } from './texts.tsx';

/** A connection that opens within this time needs no words, milliseconds. */
const PATIENCE_MS = 1_500;
/** A clock that is wrong by less does no harm, milliseconds. */
const CLOCK_MS = 5 * 60_000;

const useStyles = makeStyles({ bar: { flexShrink: 0, borderRadius: 0 } });

/** Says when something is wrong with the connection, and what to do. */
export function ConnectionBanner() {
  const styles = useStyles();
  const { t, refusal } = useTexts();
  const { run } = useParley();
  const connection = useShared('connection');
  const phase = connection?.phase ?? 'connecting';
  const slow = useSlow(phase === 'connecting');
  const seconds = useSecondsUntil(connection?.phase === 'waiting' ? connection.retryAtMs : undefined);
  useAnnounceReturn(phase);

  if (connection?.phase === 'online') {
    const minutes = Math.round(connection.clockAheadMs / 60_000);
    if (Math.abs(connection.clockAheadMs) >= CLOCK_MS)
      return (
        <MessageBar className={styles.bar} intent="warning" layout="auto" role="status">
          <MessageBarBody>{t('connection.clock', { minutes: Math.abs(minutes) })}</MessageBarBody>
        </MessageBar>
      );
    if (!connection.upgradeAdvised) return null;
    return (
      <MessageBar className={styles.bar} intent="info" role="status">
        <MessageBarBody>{t('connection.upgrade')}</MessageBarBody>
        <MessageBarActions>
          <Button onClick={() => location.reload()}>{t('app.reload')}</Button>
        </MessageBarActions>
      </MessageBar>
    );
  }
  if (connection?.phase === 'waiting')
    return (
      <MessageBar className={styles.bar} intent="warning" role="status" data-testid="offline">
        <MessageBarBody>
          <MessageBarTitle>
            {connection.refusal.code === 'client.network' ? t('connection.waiting') : refusal(connection.refusal)}
          </MessageBarTitle>{' '}
          <span aria-live="off">{t('connection.waiting.help', { seconds })}</span>
        </MessageBarBody>
        <MessageBarActions>
          <Button onClick={() => run('reconnect')}>{t('connection.now')}</Button>
        </MessageBarActions>
      </MessageBar>
    );
  if (connection?.phase === 'taken-over' || connection?.phase === 'refused')
    return (
      <MessageBar className={styles.bar} intent="error" role="alert">
        <MessageBarBody>
          {connection.phase === 'taken-over' ? t('connection.taken-over') : refusal(connection.refusal)}
        </MessageBarBody>
        <MessageBarActions>
          <Button onClick={() => run('reconnect')}>
            {t(connection.phase === 'taken-over' ? 'connection.here' : 'connection.now')}
          </Button>
        </MessageBarActions>
      </MessageBar>
    );
  return slow ? (
    <MessageBar className={styles.bar} intent="info" role="status">
      <MessageBarBody>{t('connection.connecting')}</MessageBarBody>
    </MessageBar>
  ) : null;
}

function useSlow(waiting: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!waiting) return setSlow(false);
    const timer = setTimeout(() => setSlow(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [waiting]);
  return slow;
}

function useSecondsUntil(atMs: number | undefined): number {
  const left = () => Math.max(0, Math.ceil(((atMs ?? 0) - Date.now()) / 1_000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    if (atMs === undefined) return;
    setSeconds(left());
    const timer = setInterval(() => setSeconds(left()), 1_000);
    return () => clearInterval(timer);
  }, [atMs]);
  return seconds;
}

function useAnnounceReturn(phase: string): void {
  const { t } = useTexts();
  const announce = useAnnounce();
  const lost = useRef(false);
  useEffect(() => {
    if (phase === 'waiting') lost.current = true;
    if (phase === 'online' && lost.current) {
      lost.current = false;
      announce(t('connection.back'));
    }
  }, [phase, announce, t]);
}
