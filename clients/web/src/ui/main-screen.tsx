import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { useEffect, useRef } from 'react';
import { ConnectionBanner } from './connection-banner.tsx';
import { Conversation } from './conversation.tsx';
import { MeMenu } from './me-menu.tsx';
import { useParley, useShared, useSharedOf, useUnreadOf } from './parley.tsx';
import { PeoplePane } from './people-pane.tsx';
import { nameOf } from './person.tsx';
import { useOpenPerson } from './route.ts';
import { useTexts } from './texts.tsx';

/** Below this both parts do not fit beside each other. */
const NARROW = '@media (max-width: 719px)';

const useStyles = makeStyles({
  page: {
    height: '100%',
    display: 'flex',
    flexDirection: 'column',
    backgroundColor: tokens.colorNeutralBackground3,
    color: tokens.colorNeutralForeground1,
  },
  parts: { flexGrow: 1, minHeight: 0, display: 'flex' },
  side: {
    width: '340px',
    flexShrink: 0,
    display: 'flex',
    flexDirection: 'column',
    minHeight: 0,
    borderRight: `1px solid ${tokens.colorNeutralStroke2}`,
    [NARROW]: { width: '100%', borderRightStyle: 'none' },
  },
  main: { flexGrow: 1, minWidth: 0, minHeight: 0, display: 'flex', flexDirection: 'column' },
  notNarrow: { [NARROW]: { display: 'none' } },
  skips: { position: 'absolute', zIndex: 10, insetInlineStart: tokens.spacingHorizontalM, insetBlockStart: 0 },
  skip: {
    position: 'absolute',
    whiteSpace: 'nowrap',
    transform: 'translateY(-200%)',
    padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalL}`,
    backgroundColor: tokens.colorBrandBackground,
    color: tokens.colorNeutralForegroundOnBrand,
    borderRadius: tokens.borderRadiusMedium,
    boxShadow: tokens.shadow8,
    ':focus': { transform: 'translateY(8px)' },
  },
  empty: {
    flexGrow: 1,
    display: 'flex',
    flexDirection: 'column',
    alignItems: 'center',
    justifyContent: 'center',
    textAlign: 'center',
    padding: tokens.spacingHorizontalXXL,
    backgroundColor: tokens.colorNeutralBackground1,
  },
  picture: { width: '72px', height: '72px', opacity: 0.9 },
  emptyTitle: { fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, margin: '16px 0 4px' },
  emptyHelp: { margin: 0, color: tokens.colorNeutralForeground2 },
});

/** People on one side, a conversation on the other. */
export function MainScreen() {
  const styles = useStyles();
  const { t } = useTexts();
  const { run } = useParley();
  const open = useOpenPerson();
  const side = useRef<HTMLElement>(null);
  const wasOpen = useRef(open);
  useTitle(open);
  useEffect(() => {
    if (open !== undefined) run('open', open);
    // back to the list: the keyboard goes on where it was
    else if (wasOpen.current !== undefined)
      side.current?.querySelector<HTMLElement>(`[data-person="${CSS.escape(wasOpen.current)}"]`)?.focus();
    wasOpen.current = open;
  }, [open, run]);

  const skip = (id: string, text: string) => (
    <a
      className={styles.skip}
      href={`#${id}`}
      onClick={event => {
        event.preventDefault();
        focusPart(id);
      }}
    >
      {text}
    </a>
  );
  return (
    <div className={styles.page}>
      <div className={styles.skips}>
        {skip('people', t('skip.people'))}
        {open !== undefined && skip('messages', t('skip.conversation'))}
        {open !== undefined && skip('composer', t('skip.composer'))}
      </div>
      <ConnectionBanner />
      <div className={styles.parts}>
        <header className={mergeClasses(styles.side, open !== undefined && styles.notNarrow)} ref={side}>
          <MeMenu />
          <PeoplePane open={open} />
        </header>
        <main className={mergeClasses(styles.main, open === undefined && styles.notNarrow)}>
          {open === undefined ? (
            <div className={styles.empty}>
              <img className={styles.picture} src="/favicon.svg" alt="" />
              <h1 className={styles.emptyTitle}>{t('talk.none')}</h1>
              <p className={styles.emptyHelp}>{t('talk.none.help')}</p>
            </div>
          ) : (
            <Conversation key={open} personId={open} />
          )}
        </main>
      </div>
    </div>
  );
}

/** Focuses a part of the page, or in a list the entry that can be focused. */
function focusPart(id: string): void {
  const part = document.getElementById(id);
  (part?.querySelector<HTMLElement>('[data-person][tabindex="0"]') ?? part)?.focus();
}

/** Whom one talks to, and how many messages wait, in the tab's title. */
function useTitle(open: string | undefined): void {
  const texts = useTexts();
  const recent = useShared('recent') ?? [];
  const count = useUnreadOf(recent);
  const person = useSharedOf('person', open ?? '');
  const name = open === undefined ? '' : nameOf(texts, person);
  useEffect(() => {
    const { t } = texts;
    if (count > 0) document.title = t('app.unread', { count, name: name || t('people.label') });
    else document.title = name === '' ? t('app.name') : t('app.title', { name });
  }, [texts, count, name]);
}
