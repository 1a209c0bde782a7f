import {
  Button,
  createDOMRenderer,
  FluentProvider,
  makeStyles,
  RendererProvider,
  Spinner,
  tokens,
} from '@fluentui/react-components';
import { type ReactNode, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { Catalogue } from '../i18n/en.ts';
import { formatLocale, type Language, pickLanguage } from '../i18n/language.ts';
import { loadCatalogue } from '../i18n/texts.ts';
import { createTimes } from '../i18n/time.ts';
import type { Tabs } from '../tabs/tabs.ts';
import { AnnounceProvider } from './announce.tsx';
import { keepLanguage, keptLanguage, onLanguageKept } from './kept-language.ts';
import { later } from './later.tsx';
import { ParleyProvider, useRole, useSelf, useShared, useSharedOf } from './parley.tsx';
import { createTexts, TextsProvider, useTexts } from './texts.tsx';
import { darkTheme, lightTheme } from './theme.ts';

const SignIn = later(async () => (await import('./sign-in.tsx')).SignIn);
const ChangePassword = later(async () => (await import('./change-password.tsx')).ChangePasswordScreen);
const Main = later(async () => (await import('./main-screen.tsx')).MainScreen);

/** Fetches the screen that will probably be the first. */
export const preloadScreen = (signedIn: boolean): void =>
  void (signedIn ? Main : SignIn).preload().catch(() => undefined);

const dark = typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: dark)') : undefined;

function useDark(): boolean {
  return useSyncExternalStore(
    listener => {
      dark?.addEventListener('change', listener);
      return () => dark?.removeEventListener('change', listener);
    },
    () => dark?.matches ?? false,
  );
}

/** The whole page. */
export function App({ tabs, nonce }: { readonly tabs: Tabs; readonly nonce: string }) {
  const renderer = useMemo(() => createDOMRenderer(document, { styleElementAttributes: { nonce } }), [nonce]);
  return (
    <RendererProvider renderer={renderer} targetDocument={document}>
      <FluentProvider theme={useDark() ? darkTheme : lightTheme}>
        <ParleyProvider tabs={tabs}>
          <InLanguage>
            <AnnounceProvider>
              <Screen />
            </AnnounceProvider>
          </InLanguage>
        </ParleyProvider>
      </FluentProvider>
    </RendererProvider>
  );
}

/** Texts and times in the language of whoever looks: as chosen here, as in the directory, as the browser wishes. */
function InLanguage({ children }: { readonly children: ReactNode }) {
  const self = useSelf();
  const directory = useSharedOf('person', self)?.language;
  const chosen = useSyncExternalStore(onLanguageKept, keptLanguage);
  const language = pickLanguage([chosen, directory, ...navigator.languages]);
  const [loaded, setLoaded] = useState<{ readonly language: Language; readonly catalogue: Catalogue }>();
  useEffect(() => {
    let wanted = true;
    void loadCatalogue(language).then(catalogue => wanted && setLoaded({ language, catalogue }));
    return () => void (wanted = false);
  }, [language]);
  const texts = useMemo(() => {
    if (!loaded) return undefined;
    const { catalogue } = loaded;
    const words = { today: catalogue['time.today'], yesterday: catalogue['time.yesterday'] };
    const times = createTimes(formatLocale(loaded.language, navigator.languages), words);
    return createTexts(catalogue, times, { language: loaded.language, chosen, choose: keepLanguage });
  }, [loaded, chosen]);
  useEffect(() => {
    if (loaded) document.documentElement.lang = loaded.language;
  }, [loaded]);
  return texts && <TextsProvider value={texts}>{children}</TextsProvider>;
}

function Screen() {
  const role = useRole();
  const session = useShared('session');
  if (role === 'outdated') return <Outdated />;
  switch (session?.kind) {
    case 'signed-out':
      return <SignIn ended={session.reason === 'ended'} meanwhile={<Waiting />} />;
    case 'password-change':
      return <ChangePassword meanwhile={<Waiting />} />;
    case 'signed-in':
      return <Main meanwhile={<Waiting />} />;
    default:
      return <Waiting />;
  }
}

const useStyles = makeStyles({
  centre: {
    height: '100%',
    display: 'flex',
    flexDirection: 'column',
    alignItems: 'center',
    justifyContent: 'center',
    gap: tokens.spacingVerticalM,
    padding: tokens.spacingHorizontalXXL,
    textAlign: 'center',
    backgroundColor: tokens.colorNeutralBackground3,
  },
});

function Waiting() {
  const { t } = useTexts();
  return (
    <main className={useStyles().centre}>
      <Spinner label={t('app.loading')} labelPosition="below" delay={300} />
    </main>
  );
}

function Outdated() {
  const { t } = useTexts();
  return (
    <main className={useStyles().centre}>
      <h1>{t('app.outdated')}</h1>
      <p>{t('app.outdated.help')}</p>
      <Button appearance="primary" onClick={() => location.reload()}>
        {t('app.reload')}
      </Button>
    </main>
  );
}
