import { Button, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { ArrowClockwiseRegular } from '@fluentui/react-icons/svg/arrow-clockwise';
import { CheckmarkRegular } from '@fluentui/react-icons/svg/checkmark';
import { ClockRegular } from '@fluentui/react-icons/svg/clock';
import { DeleteRegular } from '@fluentui/react-icons/svg/delete';
import { ErrorCircleRegular } from '@fluentui/react-icons/svg/error-circle';
import { ImportantFilled } from '@fluentui/react-icons/svg/important';
import { memo } from 'react';
import type { Message } from '../engine/state.ts';
import { findLinks } from '../text/links.ts';
import { Heard } from './announce.tsx';
import type { MessageGroup } from './group-messages.ts';
import { useParley, useSharedOf } from './parley.tsx';
import { PersonName } from './person.tsx';
import { useTexts } from './texts.tsx';

const useStyles = makeStyles({
  divider: {
    display: 'flex',
    alignItems: 'center',
    gap: tokens.spacingHorizontalM,
    margin: `${tokens.spacingVerticalL} 0 ${tokens.spacingVerticalS}`,
    fontSize: tokens.fontSizeBase200,
    lineHeight: tokens.lineHeightBase200,
    color: tokens.colorNeutralForeground2,
    '::before': { content: '""', flexGrow: 1, borderTop: `1px solid ${tokens.colorNeutralStroke2}` },
    '::after': { content: '""', flexGrow: 1, borderTop: `1px solid ${tokens.colorNeutralStroke2}` },
  },
  fresh: {
    color: tokens.colorStatusDangerForeground1,
    fontWeight: tokens.fontWeightSemibold,
    '::before': { borderTopColor: tokens.colorStatusDangerBorder1 },
    '::after': { borderTopColor: tokens.colorStatusDangerBorder1 },
  },
  group: {
    display: 'flex',
    flexDirection: 'column',
    alignItems: 'flex-start',
    gap: '2px',
    marginTop: tokens.spacingVerticalM,
  },
  own: { alignItems: 'flex-end' },
  meta: {
    display: 'flex',
    gap: tokens.spacingHorizontalS,
    fontSize: tokens.fontSizeBase200,
    lineHeight: tokens.lineHeightBase200,
    color: tokens.colorNeutralForeground2,
    margin: '0 4px 2px',
    maxWidth: '100%',
  },
  bubble: {
    maxWidth: 'min(85%, 46em)',
    padding: '5px 11px',
    borderRadius: '12px',
    backgroundColor: 'var(--bubble)',
    // shows where colours are forced
    border: '1px solid transparent',
    fontSize: tokens.fontSizeBase300,
    lineHeight: '1.5',
    whiteSpace: 'pre-wrap',
    overflowWrap: 'anywhere',
  },
  ownBubble: { backgroundColor: tokens.colorBrandBackground2 },
  failed: { outline: `1px solid ${tokens.colorStatusDangerBorder2}` },
  line: { margin: 0, unicodeBidi: 'plaintext', textAlign: 'start' },
  high: {
    display: 'flex',
    alignItems: 'center',
    gap: '2px',
    color: tokens.colorStatusDangerForeground1,
    fontWeight: tokens.fontWeightSemibold,
    fontSize: tokens.fontSizeBase200,
  },
  link: {
    color: tokens.colorBrandForegroundLink,
    textDecorationLine: 'underline',
    ':hover': { color: tokens.colorBrandForegroundLinkHover },
    ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}`, borderRadius: '2px' },
  },
  state: {
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    justifyContent: 'flex-end',
    gap: tokens.spacingHorizontalXS,
    fontSize: tokens.fontSizeBase200,
    lineHeight: tokens.lineHeightBase200,
    color: tokens.colorNeutralForeground2,
    margin: '0 4px',
  },
  problem: { color: tokens.colorStatusDangerForeground1 },
});

/** Messages of one sender, with the day above when it begins. */
export const MessageGroupView = memo(function MessageGroupView(props: {
  readonly group: MessageGroup;
  readonly own: boolean;
  readonly personId: string;
}) {
  const { group, own, personId } = props;
  const styles = useStyles();
  const { t, times } = useTexts();
  const [first] = group.messages as [Message];
  return (
    <>
      {group.newDay && (
        <li className={styles.divider} data-testid="day">
          <time dateTime={times.dayKey(first.timeMs)}>{times.day(first.timeMs, Date.now())}</time>
        </li>
      )}
      {group.firstNew && <li className={mergeClasses(styles.divider, styles.fresh)}>{t('talk.new')}</li>}
      <li className={mergeClasses(styles.group, own && styles.own)}>
        <div className={styles.meta}>
          {own ? <Heard>{t('message.you')}</Heard> : <Sender personId={group.senderId} />}
          <time dateTime={new Date(first.timeMs).toISOString()} title={times.full(first.timeMs)}>
            {times.clock(first.timeMs)}
          </time>
        </div>
        {group.messages.map(message => (
          <MessageView key={message.id} message={message} own={own} personId={personId} />
        ))}
      </li>
    </>
  );
}, sameGroup);

/** Groups are made anew with every message; most hold what they held. */
function sameGroup(
  a: { readonly group: MessageGroup; readonly own: boolean },
  b: { readonly group: MessageGroup; readonly own: boolean },
): boolean {
  const [now, before] = [b.group, a.group];
  return (
    a.own === b.own &&
    now.newDay === before.newDay &&
    now.firstNew === before.firstNew &&
    now.messages.length === before.messages.length &&
    now.messages.every((message, i) => message === before.messages[i])
  );
}

function Sender({ personId }: { readonly personId: string }) {
  const person = useSharedOf('person', personId);
  return (
    <span>
      <PersonName person={person} />
    </span>
  );
}

const MessageView = memo(function MessageView(props: {
  readonly message: Message;
  readonly own: boolean;
  readonly personId: string;
}) {
  const { message, own } = props;
  const styles = useStyles();
  const { t } = useTexts();
  const failed = message.state === 'failed';
  return (
    <>
      <div
        className={mergeClasses(styles.bubble, own && styles.ownBubble, failed && styles.failed)}
        data-message={message.state}
      >
        {message.high && (
          <span className={styles.high}>
            <ImportantFilled aria-hidden="true" />
            {t('message.high')}
          </span>
        )}
        <MessageText text={message.text} />
      </div>
      {own && <MessageState {...props} />}
    </>
  );
});

/** A message is text; only its links can be followed. */
function MessageText({ text }: { readonly text: string }) {
  const styles = useStyles();
  const { t } = useTexts();
  return (
    <p className={styles.line} dir="auto">
      {findLinks(text).map((part, i) =>
        part.href === undefined ? (
          part.text
        ) : (
          <a
            key={i}
            className={styles.link}
            href={part.href}
            title={`${part.href} (${t('message.link')})`}
            target="_blank"
            rel="noopener noreferrer nofollow"
            dir="ltr"
          >
            {part.text}
          </a>
        ),
      )}
    </p>
  );
}

/** How an own message stands. */
function MessageState({ message, personId }: { readonly message: Message; readonly personId: string }) {
  const styles = useStyles();
  const { t, refusal } = useTexts();
  const { run } = useParley();
  switch (message.state) {
    case 'sending':
      return (
        <span className={styles.state}>
          <ClockRegular aria-hidden="true" />
          {t('message.sending')}
        </span>
      );
    case 'failed':
      return (
        <span className={mergeClasses(styles.state, styles.problem)} role="alert">
          <ErrorCircleRegular aria-hidden="true" />
          <span>
            {t('message.failed')}
            {message.refusal && <>: {refusal(message.refusal)}</>}
          </span>
          <Button size="small" icon={<ArrowClockwiseRegular />} onClick={() => run('retry', personId, message.id)}>
            {t('message.retry')}
          </Button>
          <Button
            size="small"
            appearance="subtle"
            icon={<DeleteRegular />}
            onClick={() => run('discard', personId, message.id)}
          >
            {t('message.discard')}
          </Button>
        </span>
      );
    default:
      return <SentMark message={message} personId={personId} />;
  }
}

/** Only below the newest own message: what was sent before it is sent as well. */
function SentMark({ message, personId }: { readonly message: Message; readonly personId: string }) {
  const styles = useStyles();
  const { t } = useTexts();
  const newest = useSharedOf('talk', personId)?.findLast(one => one.senderId === message.senderId && one.key !== '');
  if (newest?.id !== message.id) return null;
  return (
    <span className={styles.state}>
      <CheckmarkRegular aria-hidden="true" />
      {t('message.sent')}
    </span>
  );
}
