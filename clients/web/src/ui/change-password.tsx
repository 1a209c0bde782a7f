import {
  Button,
  Dialog,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  MessageBar,
  MessageBarBody,
  makeStyles,
  tokens,
} from '@fluentui/react-components';
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import type { Refusal } from '../tabs/protocol.ts';
import { characters } from '../text/limits.ts';
import { useAnnounce } from './announce.tsx';
import { CardScreen } from './card-screen.tsx';
import { changePassword, passwordJustUsed } from './own-account.ts';
import { useParley } from './parley.tsx';
import { PasswordField } from './password-field.tsx';
import { useTexts } from './texts.tsx';

const LEAST_CHARACTERS = 12;

const useStyles = makeStyles({
  form: { display: 'flex', flexDirection: 'column', gap: tokens.spacingVerticalL },
  actions: { display: 'flex', gap: tokens.spacingHorizontalS, justifyContent: 'flex-end', flexWrap: 'wrap' },
  lead: { marginTop: 0 },
});

/** Asks for the present and a new password. */
function ChangePasswordForm(props: {
  readonly present: string;
  readonly onDone: () => void;
  readonly children?: ReactNode;
}) {
  const styles = useStyles();
  const { t, refusal: refusalText } = useTexts();
  const { call } = useParley();
  const announce = useAnnounce();
  const [current, setCurrent] = useState(props.present);
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const currentBox = useRef<HTMLInputElement>(null);
  const nextBox = useRef<HTMLInputElement>(null);
  const againBox = useRef<HTMLInputElement>(null);
  const askCurrent = props.present === '' || refusal?.code === 'directory.password_wrong';

  useEffect(() => (props.present === '' ? currentBox : nextBox).current?.focus(), [props.present]);

  const problems = {
    current: current === '' ? t('password.current.missing') : undefined,
    next: characters(next) < LEAST_CHARACTERS ? t('password.next.short') : undefined,
    again: next === again ? undefined : t('password.repeat.differs'),
  };

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (busy) return;
    setTried(true);
    setRefusal(undefined);
    if (problems.current) return currentBox.current?.focus();
    if (problems.next) return nextBox.current?.focus();
    if (problems.again) return againBox.current?.focus();
    setBusy(true);
    const refused = await changePassword(current, next);
    setBusy(false);
    if (refused) return setRefusal(refused);
    announce(t('password.changed'));
    props.onDone();
    await call('authChanged').catch(() => undefined);
  }

  return (
    <form className={styles.form} onSubmit={event => void submit(event)} noValidate>
      {refusal && (
        <MessageBar intent="error" layout="multiline" role="alert">
          <MessageBarBody>{refusalText(refusal)}</MessageBarBody>
        </MessageBar>
      )}
      {askCurrent && (
        <PasswordField
          label={t('password.current')}
          name="current-password"
          autoComplete="current-password"
          value={current}
          onChange={setCurrent}
          problem={tried ? problems.current : undefined}
          inputRef={currentBox}
        />
      )}
      <PasswordField
        label={t('password.next')}
        name="new-password"
        autoComplete="new-password"
        value={next}
        onChange={setNext}
        hint={t('password.next.hint')}
        problem={tried ? problems.next : undefined}
        inputRef={nextBox}
      />
      <PasswordField
        label={t('password.repeat')}
        name="repeat-password"
        autoComplete="new-password"
        value={again}
        onChange={setAgain}
        problem={tried ? problems.again : undefined}
        inputRef={againBox}
      />
      <div className={styles.actions}>
        {props.children}
        <Button type="submit" appearance="primary" disabledFocusable={busy}>
          {t(busy ? 'password.busy' : 'password.submit')}
        </Button>
      </div>
    </form>
  );
}

/** Somebody else set the password; nothing goes on before it is changed. */
export function ChangePasswordScreen() {
  const { t } = useTexts();
  const { run } = useParley();
  const [present] = useState(passwordJustUsed);
  useEffect(() => {
    document.title = t('password.title');
  }, [t]);
  return (
    <CardScreen title={t('password.title')} lead={t('password.forced')}>
      <ChangePasswordForm present={present} onDone={() => undefined}>
        <Button onClick={() => run('signOut')}>{t('me.sign-out')}</Button>
      </ChangePasswordForm>
    </CardScreen>
  );
}

/** Changes the password because its owner wants to. */
export function ChangePasswordDialog({ onClose }: { readonly onClose: () => void }) {
  const styles = useStyles();
  const { t } = useTexts();
  return (
    <Dialog open onOpenChange={(_, { open }) => open || onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{t('password.title')}</DialogTitle>
          <DialogContent>
            <p className={styles.lead}>{t('password.voluntary')}</p>
            <ChangePasswordForm present="" onDone={onClose}>
              <Button onClick={onClose}>{t('me.cancel')}</Button>
            </ChangePasswordForm>
          </DialogContent>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
