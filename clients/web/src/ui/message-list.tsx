import { Button, makeStyles, Spinner, tokens } from '@fluentui/react-components';
import { ArrowDownRegular } from '@fluentui/react-icons/svg/arrow-down';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Message } from '../engine/state.ts';
import { useAnnounce } from './announce.tsx';
import { groupMessages } from './group-messages.ts';
import { MessageGroupView } from './message-group.tsx';
import { useParley, useSelf, useSharedOf } from './parley.tsx';
import { nameOf, PersonName } from './person.tsx';
import { useTexts } from './texts.tsx';

/** Nearer to the end than this, the list follows what comes, pixels. */
const NEAR_END = 60;
/** Nearer to the beginning than this, older messages are loaded, pixels. */
const NEAR_BEGINNING = 400;

const useStyles = makeStyles({
  frame: { position: 'relative', flexGrow: 1, minHeight: 0, display: 'flex' },
  scroll: {
    flexGrow: 1,
    minWidth: 0,
    overflowY: 'auto',
    overflowAnchor: 'none',
    display: 'flex',
    flexDirection: 'column',
    padding: `${tokens.spacingVerticalM} ${tokens.spacingHorizontalL}`,
    ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: '-3px' },
    '@media (max-width: 719px)': { padding: tokens.spacingHorizontalS },
  },
  content: { marginTop: 'auto' },
  list: { listStyleType: 'none', margin: 0, padding: 0 },
  top: {
    display: 'flex',
    flexDirection: 'column',
    alignItems: 'center',
    gap: tokens.spacingVerticalS,
    padding: tokens.spacingVerticalM,
    textAlign: 'center',
    color: tokens.colorNeutralForeground2,
  },
  words: { margin: 0 },
  latest: { position: 'absolute', insetBlockEnd: '12px', insetInlineStart: '50%', transform: 'translateX(-50%)' },
});

/** Messages, oldest first, paged upwards. */
export function MessageList({
  personId,
  messages,
}: {
  readonly personId: string;
  readonly messages: readonly Message[];
}) {
  const styles = useStyles();
  const { t, rich, times } = useTexts();
  const self = useSelf();
  const person = useSharedOf('person', personId);
  const firstNewId = useFirstNew(personId, messages);
  const { box, atEnd, toEnd } = useScrolling(personId, messages, self);
  useAnnounceArrivals(personId, messages);
  const groups = useMemo(() => groupMessages(messages, times.dayKey, firstNewId), [messages, times, firstNewId]);

  return (
    <div className={styles.frame}>
      <div id="messages" ref={box} className={styles.scroll} tabIndex={0} role="region" aria-label={t('talk.messages')}>
        <div className={styles.content}>
          <Beginning personId={personId} empty={messages.length === 0} />
          <ol className={styles.list} role="list">
            {groups.map(group => (
              <MessageGroupView key={group.id} group={group} own={group.senderId === self} personId={personId} />
            ))}
          </ol>
          {messages.length === 0 && person && (
            <EmptyWords>{rich('talk.empty', { name: <PersonName person={person} /> })}</EmptyWords>
          )}
        </div>
      </div>
      {!atEnd && (
        <Button className={styles.latest} shape="circular" icon={<ArrowDownRegular />} onClick={toEnd}>
          {t('talk.latest')}
        </Button>
      )}
    </div>
  );
}

function EmptyWords({ children }: { readonly children: React.ReactNode }) {
  const styles = useStyles();
  return (
    <div className={styles.top}>
      <p className={styles.words}>{children}</p>
    </div>
  );
}

/** What stands above the oldest message that is here. */
function Beginning({ personId, empty }: { readonly personId: string; readonly empty: boolean }) {
  const styles = useStyles();
  const { t, rich, refusal } = useTexts();
  const { run } = useParley();
  const person = useSharedOf('person', personId);
  const paging = useSharedOf('paging', personId);
  const again = () => run(paging?.cursor === '' ? 'open' : 'older', personId);
  switch (paging?.state) {
    case 'all':
      if (empty) return null;
      return (
        <div className={styles.top}>
          <p className={styles.words}>{rich('talk.beginning', { name: <PersonName person={person} /> })}</p>
        </div>
      );
    case 'more':
      return (
        <div className={styles.top}>
          <Button appearance="subtle" size="small" onClick={() => run('older', personId)}>
            {t('talk.older')}
          </Button>
        </div>
      );
    case 'failed':
      return (
        <div className={styles.top} role="alert">
          <p className={styles.words}>
            {t('talk.failed')} {paging.refusal && refusal(paging.refusal)}
          </p>
          <Button size="small" onClick={again}>
            {t('talk.retry')}
          </Button>
        </div>
      );
    default:
      return (
        <div className={styles.top}>
          <Spinner size="tiny" label={t('talk.loading')} delay={300} />
        </div>
      );
  }
}

/** The first message that nobody had looked at when the conversation was opened. */
function useFirstNew(personId: string, messages: readonly Message[]): string | undefined {
  const { store } = useParley();
  const unread = useRef(store.of('unread', personId) ?? 0);
  const first = useRef<string>(undefined);
  const loaded = useSharedOf('paging', personId)?.state;
  if (first.current === undefined && unread.current > 0 && (loaded === 'more' || loaded === 'all')) {
    const received = messages.filter(message => message.state === 'received');
    first.current = received.at(-unread.current)?.id ?? received[0]?.id;
    unread.current = 0;
  }
  return first.current;
}

/** Keeps the place: at the end when messages come, where one reads when older ones are put before. */
function useScrolling(personId: string, messages: readonly Message[], self: string) {
  const { run } = useParley();
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const place = useRef({ top: 0, height: 0, following: true, first: '', last: '' });
  const paging = useSharedOf('paging', personId)?.state;
  const unread = useSharedOf('unread', personId) ?? 0;

  const toEnd = () => box.current?.scrollTo({ top: box.current.scrollHeight });

  useLayoutEffect(() => {
    const area = box.current;
    if (!area) return;
    const before = place.current;
    const first = messages[0]?.id ?? '';
    const last = messages.at(-1);
    const mine = last !== undefined && last.id !== before.last && last.senderId === self && last.state === 'sending';
    // The browser tells of scrolling with the next frame only; what comes before that must not put the reader back.
    const scrolled = area.scrollTop !== before.top;
    const following = scrolled ? before.height - area.clientHeight - area.scrollTop < NEAR_END : before.following;
    if (following || mine) toEnd();
    else if (first !== before.first) area.scrollTop += area.scrollHeight - before.height;
    place.current = { top: area.scrollTop, height: area.scrollHeight, following, first, last: last?.id ?? '' };
  }, [messages, self, paging]);

  useEffect(() => {
    const area = box.current;
    if (!area) return;
    const look = () => {
      const { scrollTop: top, scrollHeight: height } = area;
      const following = height - area.clientHeight - top < NEAR_END;
      place.current = { ...place.current, top, height, following };
      setAtEnd(following);
      if (area.scrollTop < NEAR_BEGINNING && paging === 'more') run('older', personId);
    };
    // the box shrinks when the composer grows or a banner comes
    const resized = new ResizeObserver(() => (place.current.following ? toEnd() : undefined));
    resized.observe(area);
    area.addEventListener('scroll', look, { passive: true });
    if (place.current.following) toEnd(); // the composer may have grown since the list was laid out
    look();
    return () => {
      resized.disconnect();
      area.removeEventListener('scroll', look);
    };
  }, [paging, personId, run, messages]);

  useReadMark(personId, unread, atEnd);
  return { box, atEnd, toEnd };
}

/** What somebody can see at the end of an open conversation has been read. */
function useReadMark(personId: string, unread: number, atEnd: boolean): void {
  const { run } = useParley();
  useEffect(() => {
    const look = () => {
      if (unread > 0 && atEnd && document.visibilityState === 'visible' && document.hasFocus())
        run('markRead', personId);
    };
    look();
    addEventListener('focus', look);
    document.addEventListener('visibilitychange', look);
    return () => {
      removeEventListener('focus', look);
      document.removeEventListener('visibilitychange', look);
    };
  }, [personId, unread, atEnd, run]);
}

/** Says what comes while the conversation is on the screen; not what is loaded. */
function useAnnounceArrivals(personId: string, messages: readonly Message[]): void {
  const texts = useTexts();
  const announce = useAnnounce();
  const person = useSharedOf('person', personId);
  const loaded = useSharedOf('paging', personId)?.state;
  const said = useRef<string>(undefined);
  useEffect(() => {
    if (loaded !== 'more' && loaded !== 'all') return;
    const last = messages.findLast(message => message.state === 'received');
    if (said.current !== undefined && last && last.id !== said.current)
      announce(texts.t('talk.arrived', { name: nameOf(texts, person), text: last.text.slice(0, 500) }));
    said.current = last?.id ?? '';
  }, [messages, loaded, announce, texts, person]);
}
