import { Button, makeStyles, Textarea, tokens } from '@fluentui/react-components';
import { SendFilled } from '@fluentui/react-icons/svg/send';
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { characters, MOST_CHARACTERS, sendable } from '../text/limits.ts';
import { Heard } from './announce.tsx';
import { fluentRef } from './fluent-ref.ts';
import { useTexts } from './texts.tsx';

/** The box grows with its text up to this height, pixels. */
const MOST_HEIGHT = 200;
/** The number of characters left is shown from here on. */
const COUNT_FROM = MOST_CHARACTERS - 500;

/** What was begun and not sent, by person, while this page lives. */
const drafts = new Map<string, string>();

const useStyles = makeStyles({
  form: {
    flexShrink: 0,
    display: 'flex',
    alignItems: 'flex-end',
    gap: tokens.spacingHorizontalS,
    padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalL} ${tokens.spacingVerticalM}`,
    '@media (max-width: 719px)': { padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalS}` },
  },
  box: { flexGrow: 1, minWidth: 0, maxHeight: 'none' },
  text: { maxHeight: 'none', minHeight: 'auto', resize: 'none', paddingTop: '10px', paddingBottom: '10px' },
  send: { flexShrink: 0, minWidth: '44px', height: '44px' },
  count: {
    margin: `0 ${tokens.spacingHorizontalL}`,
    fontSize: tokens.fontSizeBase200,
    color: tokens.colorNeutralForeground2,
    textAlign: 'end',
  },
  over: { color: tokens.colorStatusDangerForeground1 },
});

/** Whether a key press belongs to an input method that is composing: its Enter chooses a word and never sends. */
export function isComposing({ nativeEvent }: KeyboardEvent): boolean {
  return nativeEvent.isComposing || nativeEvent.keyCode === 229;
}

/** Where messages are written. */
export function Composer(props: {
  readonly personId: string;
  readonly name: string;
  readonly onSend: (text: string) => void;
}) {
  const { personId, name, onSend } = props;
  const styles = useStyles();
  const { t } = useTexts();
  const [text, setText] = useState(() => drafts.get(personId) ?? '');
  const box = useRef<HTMLTextAreaElement>(null);
  const composing = useRef(false);
  const count = text.length < COUNT_FROM / 2 ? 0 : characters(text);
  const over = count > MOST_CHARACTERS;
  const empty = sendable(text) === '';

  useEffect(() => {
    // on a touch screen the keyboard would cover the messages
    if (matchMedia('(pointer: fine)').matches) box.current?.focus();
  }, []);

  useLayoutEffect(() => {
    const area = box.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight, MOST_HEIGHT)}px`;
    area.style.overflowY = area.scrollHeight > MOST_HEIGHT ? 'auto' : 'hidden';
  }, [text]);

  function change(value: string): void {
    setText(value);
    if (value === '') drafts.delete(personId);
    else drafts.set(personId, value);
  }

  function submit(): void {
    if (empty || over || composing.current) return;
    onSend(text);
    change('');
    box.current?.focus();
  }

  return (
    <>
      {count > COUNT_FROM && (
        <p className={`${styles.count} ${over ? styles.over : ''}`} role="status">
          {over
            ? t('composer.over', { count: count - MOST_CHARACTERS })
            : t('composer.left', { count: MOST_CHARACTERS - count })}
        </p>
      )}
      <form
        className={styles.form}
        onSubmit={event => {
          event.preventDefault();
          submit();
        }}
      >
        <Textarea
          id="composer"
          ref={fluentRef(box)}
          className={styles.box}
          textarea={{ className: styles.text }}
          size="large"
          rows={1}
          dir="auto"
          value={text}
          aria-label={t('composer.label', { name })}
          aria-describedby="composer-help"
          aria-invalid={over || undefined}
          placeholder={t('composer.placeholder')}
          enterKeyHint="send"
          onChange={(_, { value }) => change(value)}
          onCompositionStart={() => void (composing.current = true)}
          onCompositionEnd={() => void (composing.current = false)}
          onKeyDown={event => {
            if (event.key !== 'Enter' || event.shiftKey || event.altKey || isComposing(event)) return;
            event.preventDefault();
            submit();
          }}
        />
        <Button
          type="submit"
          className={styles.send}
          appearance="primary"
          icon={<SendFilled />}
          aria-label={t('composer.send')}
          title={t('composer.send')}
          disabledFocusable={empty || over}
        />
      </form>
      <Heard id="composer-help">{t('composer.help')}</Heard>
    </>
  );
}
