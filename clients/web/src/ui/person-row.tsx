import { CounterBadge, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { memo, useEffect, useRef } from 'react';
import type { PersonInfo, PresenceInfo } from '../engine/state.ts';
import { useAnnounce } from './announce.tsx';
import { useSelf, useSharedOf } from './parley.tsx';
import { nameOf, PersonName, PersonPicture } from './person.tsx';
import { PresenceLabel } from './presence.tsx';
import { go, pathOf } from './route.ts';
import { useTexts } from './texts.tsx';

const useStyles = makeStyles({
  row: {
    position: 'relative',
    display: 'flex',
    alignItems: 'center',
    gap: tokens.spacingHorizontalM,
    minHeight: '64px',
    padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalS}`,
    borderRadius: tokens.borderRadiusLarge,
    color: tokens.colorNeutralForeground1,
    textDecorationLine: 'none',
    ':hover': { backgroundColor: tokens.colorNeutralBackground3Hover },
    ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: '-2px' },
  },
  open: {
    backgroundColor: tokens.colorNeutralBackground1,
    boxShadow: tokens.shadow2,
    '::before': {
      content: '""',
      position: 'absolute',
      insetInlineStart: '2px',
      insetBlock: '14px',
      width: '3px',
      borderRadius: '2px',
      backgroundColor: tokens.colorBrandBackground,
      '@media (forced-colors: active)': { backgroundColor: 'Highlight' },
    },
    ':hover': { backgroundColor: tokens.colorNeutralBackground1Hover },
  },
  words: { flexGrow: 1, minWidth: 0 },
  line: { display: 'flex', alignItems: 'baseline', gap: tokens.spacingHorizontalS },
  clip: { overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap', minWidth: 0, flexGrow: 1 },
  name: { fontSize: tokens.fontSizeBase300, lineHeight: tokens.lineHeightBase300 },
  unreadName: { fontWeight: tokens.fontWeightSemibold },
  small: {
    fontSize: tokens.fontSizeBase200,
    lineHeight: tokens.lineHeightBase200,
    color: tokens.colorNeutralForeground2,
  },
  time: { flexShrink: 0 },
  badge: { flexShrink: 0, alignSelf: 'center', marginBlock: '-2px' },
  preview: { color: tokens.colorNeutralForeground1 },
});

/** One person in the list. */
export const PersonRow = memo(function PersonRow(props: {
  readonly personId: string;
  readonly open: boolean;
  readonly tabStop: boolean;
  readonly onFocus: (personId: string) => void;
  readonly onChosen: () => void;
  /** What a search told of somebody who may not be in the list. */
  readonly found?: { readonly person: PersonInfo; readonly presence: PresenceInfo | undefined } | undefined;
}) {
  const { personId, open, found } = props;
  const styles = useStyles();
  const { t, times } = useTexts();
  const person = useSharedOf('person', personId) ?? found?.person;
  const presence = useSharedOf('presence', personId) ?? found?.presence;
  const unread = useSharedOf('unread', personId) ?? 0;
  const last = useSharedOf('talk', personId)?.at(-1);
  const self = useSelf();
  useAnnounceArrival(personId, unread, open);
  const preview = last && firstLine(last.text);
  const secondary = found ? [found.person.title, found.person.department].filter(Boolean).join(', ') : '';

  return (
    <li>
      <a
        href={pathOf(personId)}
        data-person={personId}
        tabIndex={props.tabStop ? 0 : -1}
        aria-current={open ? 'page' : undefined}
        aria-describedby="people-keys"
        className={mergeClasses(styles.row, open && styles.open)}
        onFocus={() => props.onFocus(personId)}
        onClick={event => {
          if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
          event.preventDefault();
          go(pathOf(personId));
          props.onChosen();
        }}
      >
        <PersonPicture person={person} presence={presence} size={40} />
        <span className={styles.words}>
          <span className={styles.line}>
            <span className={mergeClasses(styles.clip, styles.name, unread > 0 && styles.unreadName)}>
              <PersonName person={person} />
            </span>
            {last && !found && (
              <time className={mergeClasses(styles.small, styles.time)} dateTime={new Date(last.timeMs).toISOString()}>
                {times.brief(last.timeMs, Date.now())}
              </time>
            )}
          </span>
          <span className={mergeClasses(styles.line, styles.small)}>
            <span className={styles.clip}>
              <PresenceLabel presence={presence} />
              {presence?.note && (
                <>
                  {' · '}
                  <bdi>{presence.note}</bdi>
                </>
              )}
            </span>
          </span>
          {(found ? secondary !== '' : preview !== undefined) && (
            <span className={mergeClasses(styles.line, styles.small)}>
              <span className={mergeClasses(styles.clip, styles.preview, unread > 0 && styles.unreadName)}>
                {found ? (
                  <bdi>{secondary}</bdi>
                ) : last?.senderId === self ? (
                  <bdi>{t('people.you', { text: preview ?? '' })}</bdi>
                ) : (
                  <bdi>{preview}</bdi>
                )}
              </span>
              {unread > 0 && !open && (
                <CounterBadge
                  className={styles.badge}
                  count={unread}
                  overflowCount={99}
                  color="brand"
                  role="img"
                  aria-label={t('people.unread', { count: unread })}
                />
              )}
            </span>
          )}
        </span>
      </a>
    </li>
  );
});

const firstLine = (text: string): string => text.slice(0, 200).replaceAll(/\s+/g, ' ');

/** Says that a message came in a conversation that is not on the screen. */
function useAnnounceArrival(personId: string, unread: number, open: boolean): void {
  const texts = useTexts();
  const person = useSharedOf('person', personId);
  const announce = useAnnounce();
  const before = useRef(unread);
  useEffect(() => {
    if (unread > before.current && !open) announce(texts.t('talk.arrived.elsewhere', { name: nameOf(texts, person) }));
    before.current = unread;
  }, [unread, open, announce, texts, person]);
}
