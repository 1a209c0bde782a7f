import { makeStyles, SearchBox, Spinner, tokens } from '@fluentui/react-components';
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import { refusalOf } from '../engine/messages.ts';
import type { Found, PersonInfo, PresenceInfo } from '../engine/state.ts';
import type { Refusal } from '../tabs/protocol.ts';
import { Heard, useAnnounce } from './announce.tsx';
import { useParley, useSelf, useShared } from './parley.tsx';
import { PersonRow } from './person-row.tsx';
import { useTexts } from './texts.tsx';

/** Typing pauses this long before the server is asked, milliseconds. */
const PAUSE_MS = 200;

const useStyles = makeStyles({
  search: { padding: `0 ${tokens.spacingHorizontalM} ${tokens.spacingVerticalS}`, flexShrink: 0 },
  box: { width: '100%', maxWidth: 'none' },
  list: {
    flexGrow: 1,
    minHeight: 0,
    overflowY: 'auto',
    padding: `0 ${tokens.spacingHorizontalS} ${tokens.spacingVerticalL}`,
  },
  heading: {
    margin: `${tokens.spacingVerticalM} ${tokens.spacingHorizontalS} ${tokens.spacingVerticalXS}`,
    fontSize: tokens.fontSizeBase200,
    lineHeight: tokens.lineHeightBase200,
    fontWeight: tokens.fontWeightSemibold,
    color: tokens.colorNeutralForeground2,
  },
  rows: { listStyleType: 'none', margin: 0, padding: 0 },
  words: { padding: `${tokens.spacingVerticalXXL} ${tokens.spacingHorizontalL}`, textAlign: 'center' },
  strong: { margin: 0, fontWeight: tokens.fontWeightSemibold },
  help: { margin: '4px 0 0', color: tokens.colorNeutralForeground2 },
});

/** People: those pinned, those talked with, those looked for. */
export function PeoplePane({ open }: { readonly open: string | undefined }) {
  const styles = useStyles();
  const { t } = useTexts();
  const pins = useShared('pins') ?? [];
  const recent = useShared('recent') ?? [];
  const [query, setQuery] = useState('');
  const search = useSearch(query.trim());
  const list = useRef<HTMLElement>(null);
  const [focused, setFocused] = useState<string>();
  const searching = query.trim() !== '';
  // whoever one is about to talk to for the first time is in the list, too
  const others = useMemo(() => {
    const all = open === undefined || recent.includes(open) ? recent : [open, ...recent];
    return all.filter(id => !pins.includes(id));
  }, [recent, pins, open]);
  const shown = searching ? (search.found?.people ?? []).map(person => person.id) : [...pins, ...others];
  // one entry takes part in the order of Tab: where the keyboard was, else the open conversation, else the first
  const stop = [focused, open].find(id => id !== undefined && shown.includes(id)) ?? shown[0];

  function move(event: KeyboardEvent): void {
    const rows = [...(list.current?.querySelectorAll<HTMLElement>('[data-person]') ?? [])];
    const at = rows.findIndex(row => row === document.activeElement);
    const target = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (target === undefined || at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    rows[Math.min(Math.max(target, 0), rows.length - 1)]?.focus();
  }

  const row = (id: string, found?: { person: PersonInfo; presence: PresenceInfo | undefined }) => (
    <PersonRow
      key={id}
      personId={id}
      open={id === open}
      tabStop={id === stop}
      onFocus={setFocused}
      onChosen={() => setQuery('')}
      found={found}
    />
  );
  const section = (title: string, ids: readonly string[]) =>
    ids.length > 0 && <Section title={title}>{ids.map(id => row(id))}</Section>;

  return (
    <>
      <div className={styles.search} role="search">
        <SearchBox
          className={styles.box}
          aria-label={t('people.search')}
          placeholder={t('people.search.placeholder')}
          value={query}
          maxLength={128}
          dismiss={{ 'aria-label': t('people.search.clear'), tabIndex: 0 }}
          onChange={(_, { value }) => setQuery(value)}
          onKeyDown={event => {
            if (event.nativeEvent.isComposing) return;
            if (event.key === 'Escape') setQuery('');
            if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
            event.preventDefault();
            list.current?.querySelector<HTMLElement>('[data-person]')?.focus();
          }}
        />
      </div>
      <nav id="people" tabIndex={-1} ref={list} className={styles.list} aria-label={t('people.label')} onKeyDown={move}>
        <Heard id="people-keys">{t('people.keys')}</Heard>
        {searching ? (
          <Results search={search} query={query.trim()}>
            {search.found?.people.map((person, i) => row(person.id, { person, presence: search.found?.presence[i] }))}
          </Results>
        ) : (
          <>
            {section(t('people.pinned'), pins)}
            {section(t('people.recent'), others)}
            {shown.length === 0 && (
              <div className={styles.words}>
                <p className={styles.strong}>{t('people.empty')}</p>
                <p className={styles.help}>{t('people.empty.help')}</p>
              </div>
            )}
          </>
        )}
      </nav>
    </>
  );
}

function Section({ title, children }: { readonly title: string; readonly children: React.ReactNode }) {
  const styles = useStyles();
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className={styles.heading}>
        {title}
      </h2>
      <ul className={styles.rows} role="list">
        {children}
      </ul>
    </section>
  );
}

interface Search {
  readonly found?: Found;
  readonly refusal?: Refusal;
  readonly busy: boolean;
}

function Results(props: { readonly search: Search; readonly query: string; readonly children: React.ReactNode }) {
  const styles = useStyles();
  const { t, refusal } = useTexts();
  const { found, busy } = props.search;
  if (props.search.refusal)
    return (
      <p className={styles.words} role="alert">
        {refusal(props.search.refusal)}
      </p>
    );
  if (!found) return busy && <Spinner className={styles.words} size="small" label={t('people.search.busy')} />;
  if (found.people.length === 0)
    return (
      <div className={styles.words}>
        <p className={styles.strong}>{t('people.search.none', { query: props.query })}</p>
        <p className={styles.help}>{t('people.search.none.help')}</p>
      </div>
    );
  return (
    <>
      <Section title={t('people.results')}>{props.children}</Section>
      {found.truncated && <p className={styles.words}>{t('people.search.truncated')}</p>}
    </>
  );
}

/** Looks for people while somebody types; what is shown stays until there is something newer. */
function useSearch(query: string): Search {
  const { call } = useParley();
  const self = useSelf();
  const { t } = useTexts();
  const announce = useAnnounce();
  const [search, setSearch] = useState<Search>({ busy: false });
  useEffect(() => {
    if (query === '') return setSearch({ busy: false });
    let wanted = true;
    setSearch(before => ({ ...before, busy: true }));
    const timer = setTimeout(() => {
      call('search', query).then(
        answer => {
          if (!wanted) return;
          const others = answer.people.flatMap((person, i) => (person.id === self ? [] : [i]));
          const found = {
            ...answer,
            people: others.map(i => answer.people[i] as PersonInfo),
            presence: others.map(i => answer.presence[i] as PresenceInfo),
          };
          setSearch({ found, busy: false });
          announce(
            found.people.length === 0
              ? t('people.search.none', { query })
              : t('people.search.count', { count: found.people.length }),
          );
        },
        (error: unknown) => wanted && setSearch({ refusal: refusalOf(error), busy: false }),
      );
    }, PAUSE_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [query, call, self, announce, t]);
  return search;
}
