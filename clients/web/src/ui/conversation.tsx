import { Button, makeStyles, tokens } from '@fluentui/react-components';
import { ArrowLeftRegular } from '@fluentui/react-icons/svg/arrow-left';
import { PinRegular } from '@fluentui/react-icons/svg/pin';
import { PinOffRegular } from '@fluentui/react-icons/svg/pin-off';
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { Message } from '../engine/state.ts';
import { sendable } from '../text/limits.ts';
import { Composer } from './composer.tsx';
import { MessageList } from './message-list.tsx';
import { useParley, useSelf, useShared, useSharedOf } from './parley.tsx';
import { nameOf, PersonName, PersonPicture } from './person.tsx';
import { PresenceLabel } from './presence.tsx';
import { go } from './route.ts';
import { useTexts } from './texts.tsx';

const useStyles = makeStyles({
  page: {
    flexGrow: 1,
    minHeight: 0,
    display: 'flex',
    flexDirection: 'column',
    backgroundColor: tokens.colorNeutralBackground1,
  },
  head: {
    flexShrink: 0,
    display: 'flex',
    alignItems: 'center',
    gap: tokens.spacingHorizontalM,
    minHeight: '64px',
    padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalL}`,
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
    '@media (max-width: 719px)': {
      gap: tokens.spacingHorizontalS,
      padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalS}`,
    },
  },
  back: { '@media (min-width: 720px)': { display: 'none' } },
  words: { flexGrow: 1, minWidth: 0 },
  clip: { overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' },
  name: {
    margin: 0,
    fontSize: tokens.fontSizeBase400,
    lineHeight: tokens.lineHeightBase400,
    fontWeight: tokens.fontWeightSemibold,
  },
  state: {
    fontSize: tokens.fontSizeBase200,
    lineHeight: tokens.lineHeightBase200,
    color: tokens.colorNeutralForeground2,
  },
  gone: { margin: 'auto', padding: tokens.spacingHorizontalXXL, textAlign: 'center' },
});

/** A conversation with one person. */
export function Conversation({ personId }: { readonly personId: string }) {
  const styles = useStyles();
  const texts = useTexts();
  const { t } = texts;
  const self = useSelf();
  const person = useSharedOf('person', personId);
  const { messages, send } = useMessages(personId);
  const name = nameOf(texts, person);
  const gone = person?.known === false;

  return (
    <section className={styles.page} aria-label={t('talk.label', { name })}>
      <Header personId={personId} />
      {gone && messages.length === 0 ? (
        <p className={styles.gone}>{t('talk.gone')}</p>
      ) : (
        <MessageList personId={personId} messages={messages} />
      )}
      {!gone && personId !== self && <Composer key={personId} personId={personId} name={name} onSend={send} />}
    </section>
  );
}

function Header({ personId }: { readonly personId: string }) {
  const styles = useStyles();
  const { t } = useTexts();
  const { run } = useParley();
  const person = useSharedOf('person', personId);
  const presence = useSharedOf('presence', personId);
  const pinned = (useShared('pins') ?? []).includes(personId);
  const role = [person?.title, person?.department].filter(Boolean).join(', ');
  return (
    <div className={styles.head}>
      <Button
        className={styles.back}
        appearance="subtle"
        icon={<ArrowLeftRegular />}
        aria-label={t('talk.back')}
        onClick={() => go('/')}
      />
      <PersonPicture person={person} presence={presence} size={40} />
      <div className={styles.words}>
        <h1 className={`${styles.name} ${styles.clip}`} title={person?.displayName}>
          <PersonName person={person} />
        </h1>
        <div className={`${styles.state} ${styles.clip}`}>
          <span data-testid="presence">
            <PresenceLabel presence={presence} />
          </span>
          {[presence?.note, role].filter(Boolean).map(text => (
            <span key={text} title={text}>
              {' · '}
              <bdi>{text}</bdi>
            </span>
          ))}
        </div>
      </div>
      <Button
        appearance="subtle"
        icon={pinned ? <PinOffRegular /> : <PinRegular />}
        aria-label={t(pinned ? 'talk.unpin' : 'talk.pin')}
        title={t(pinned ? 'talk.unpin' : 'talk.pin')}
        onClick={() => run(pinned ? 'unpin' : 'pin', personId)}
      />
    </div>
  );
}

/** Messages of the conversation, those just written in this tab among them before the leading tab has taken them up. */
function useMessages(personId: string): {
  readonly messages: readonly Message[];
  readonly send: (text: string) => void;
} {
  const { run } = useParley();
  const self = useSelf();
  const shared = useSharedOf('talk', personId);
  const [written, setWritten] = useState<readonly Message[]>([]);
  const send = useCallback(
    (typed: string) => {
      const text = sendable(typed);
      if (text === '') return;
      const messageId = crypto.randomUUID();
      const id = `${self}.${messageId}`;
      const message = { id, senderId: self, text, high: false, key: '', timeMs: Date.now(), state: 'sending' } as const;
      setWritten(before => [...before, message]);
      run('send', personId, messageId, text);
    },
    [run, personId, self],
  );
  // what the leading tab has settled is its own from then on: a message that was discarded must not come back
  useEffect(() => {
    const settled = new Set(shared?.flatMap(({ id, state }) => (state === 'sending' ? [] : [id])));
    setWritten(before =>
      before.some(({ id }) => settled.has(id)) ? before.filter(({ id }) => !settled.has(id)) : before,
    );
  }, [shared]);
  const messages = useMemo(() => {
    const known = new Set(shared?.map(message => message.id));
    const mine = written.filter(message => !known.has(message.id));
    return mine.length === 0 ? (shared ?? NONE) : [...(shared ?? NONE), ...mine];
  }, [shared, written]);
  return { messages, send };
}

const NONE: readonly Message[] = [];
