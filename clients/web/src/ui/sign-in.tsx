import {
  Button,
  Field,
  Input,
  MessageBar,
  MessageBarBody,
  makeStyles,
  Spinner,
  tokens,
} from '@fluentui/react-components';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import type { Refusal } from '../tabs/protocol.ts';
import { CardScreen } from './card-screen.tsx';
import { fluentRef } from './fluent-ref.ts';
import { signIn } from './own-account.ts';
import { useParley } from './parley.tsx';
import { PasswordField } from './password-field.tsx';
import { useTexts } from './texts.tsx';

const ADDRESS_KEY = 'parley.address';

const useStyles = makeStyles({
  form: { display: 'flex', flexDirection: 'column', gap: tokens.spacingVerticalL },
});

/** Asks who is there. */
export function SignIn({ ended }: { readonly ended: boolean }) {
  const styles = useStyles();
  const { t, refusal: refusalText } = useTexts();
  const { call } = useParley();
  const [address, setAddress] = useState(() => localStorage.getItem(ADDRESS_KEY) ?? '');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const addressBox = useRef<HTMLInputElement>(null);
  const passwordBox = useRef<HTMLInputElement>(null);

  useEffect(() => {
    document.title = t('sign-in.title');
    (addressBox.current?.value === '' ? addressBox : passwordBox).current?.focus();
  }, [t]);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (busy) return;
    setTried(true);
    setRefusal(undefined);
    if (address.trim() === '') return addressBox.current?.focus();
    if (password === '') return passwordBox.current?.focus();
    setBusy(true);
    const refused = await signIn(address, password);
    if (refused) {
      setBusy(false);
      setRefusal(refused);
      setPassword('');
      setTried(false);
      return passwordBox.current?.focus();
    }
    localStorage.setItem(ADDRESS_KEY, address.trim());
    await call('authChanged').catch(() => undefined);
    setBusy(false);
  }

  const missing = (value: string, text: string) =>
    tried && value.trim() === '' ? { validationMessage: text, validationState: 'error' as const } : {};

  return (
    <CardScreen title={t('sign-in.title')} lead={t('sign-in.lead')}>
      <form className={styles.form} onSubmit={event => void submit(event)} noValidate>
        {refusal ? (
          <MessageBar intent="error" layout="multiline" role="alert">
            <MessageBarBody>{refusalText(refusal)}</MessageBarBody>
          </MessageBar>
        ) : (
          ended && (
            <MessageBar intent="warning" layout="multiline" role="status">
              <MessageBarBody>{t('sign-in.ended')}</MessageBarBody>
            </MessageBar>
          )
        )}
        <Field label={t('sign-in.address')} {...missing(address, t('sign-in.address.missing'))}>
          <Input
            ref={fluentRef(addressBox)}
            size="large"
            name="username"
            type="text"
            inputMode="email"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            dir="ltr"
            value={address}
            onChange={(_, { value }) => setAddress(value)}
          />
        </Field>
        <PasswordField
          label={t('sign-in.password')}
          name="password"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
          problem={tried && password === '' ? t('sign-in.password.missing') : undefined}
          inputRef={passwordBox}
        />
        <Button
          type="submit"
          appearance="primary"
          size="large"
          disabledFocusable={busy}
          {...(busy && { icon: <Spinner size="tiny" /> })}
        >
          {t(busy ? 'sign-in.busy' : 'sign-in.submit')}
        </Button>
      </form>
    </CardScreen>
  );
}
