import { Card, makeStyles, Select, Title3, tokens } from '@fluentui/react-components';
import { LocalLanguageRegular } from '@fluentui/react-icons/svg/local-language';
import { type ReactNode, useId } from 'react';
import { LANGUAGE_NAMES, LANGUAGES, type Language } from '../i18n/language.ts';
import { Heard } from './announce.tsx';
import { useTexts } from './texts.tsx';

const useStyles = makeStyles({
  page: {
    minHeight: '100%',
    display: 'flex',
    flexDirection: 'column',
    alignItems: 'center',
    justifyContent: 'center',
    gap: tokens.spacingVerticalL,
    padding: `${tokens.spacingVerticalXXL} ${tokens.spacingHorizontalL}`,
    backgroundColor: tokens.colorNeutralBackground3,
  },
  card: {
    width: '100%',
    maxWidth: '400px',
    padding: tokens.spacingHorizontalXXL,
    gap: tokens.spacingVerticalL,
    boxShadow: tokens.shadow8,
  },
  head: { display: 'flex', flexDirection: 'column', gap: tokens.spacingVerticalS },
  logo: { width: '44px', height: '44px', display: 'block' },
  title: { margin: `${tokens.spacingVerticalS} 0 0` },
  lead: { margin: 0, color: tokens.colorNeutralForeground2 },
  language: { display: 'flex', alignItems: 'center', gap: tokens.spacingHorizontalS },
});

/** A page that asks for one thing. */
export function CardScreen(props: { readonly title: string; readonly lead: string; readonly children: ReactNode }) {
  const styles = useStyles();
  return (
    <main className={styles.page}>
      <Card className={styles.card}>
        <div className={styles.head}>
          <img className={styles.logo} src="/favicon.svg" alt="" />
          <Title3 as="h1" className={styles.title}>
            {props.title}
          </Title3>
          <p className={styles.lead}>{props.lead}</p>
        </div>
        {props.children}
      </Card>
      <LanguageChoice />
    </main>
  );
}

function LanguageChoice() {
  const styles = useStyles();
  const { t, language, choose } = useTexts();
  const id = useId();
  return (
    <div className={styles.language}>
      <label htmlFor={id}>
        <Heard>{t('language.label')}</Heard>
        <LocalLanguageRegular aria-hidden="true" fontSize={20} />
      </label>
      <Select id={id} value={language} onChange={(_, { value }) => choose(value as Language)}>
        {LANGUAGES.map(one => (
          <option key={one} value={one} lang={one}>
            {LANGUAGE_NAMES[one]}
          </option>
        ))}
      </Select>
    </div>
  );
}
