import {
  Button,
  Menu,
  MenuDivider,
  MenuGroup,
  MenuGroupHeader,
  MenuItem,
  MenuItemRadio,
  MenuList,
  MenuPopover,
  MenuTrigger,
  MessageBar,
  MessageBarBody,
  makeStyles,
  tokens,
} from '@fluentui/react-components';
import { ChevronDownRegular } from '@fluentui/react-icons/svg/chevron-down';
import { KeyRegular } from '@fluentui/react-icons/svg/key';
import { NoteRegular } from '@fluentui/react-icons/svg/note';
import { SignOutRegular } from '@fluentui/react-icons/svg/sign-out';
import { PreferredAvailability } from '@parley/client';
import { useRef, useState } from 'react';
import { refusalOf } from '../engine/messages.ts';
import { LANGUAGE_NAMES, LANGUAGES, type Language } from '../i18n/language.ts';
import type { Refusal } from '../tabs/protocol.ts';
import { Heard } from './announce.tsx';
import { later } from './later.tsx';
import { useParley, useSelf, useShared, useSharedOf } from './parley.tsx';
import { PersonName, PersonPicture } from './person.tsx';
import { PresenceIcon, PresenceLabel } from './presence.tsx';
import { useTexts } from './texts.tsx';

const NoteDialog = later(async () => (await import('./note-dialog.tsx')).NoteDialog);
const PasswordDialog = later(async () => (await import('./change-password.tsx')).ChangePasswordDialog);

/** States to choose from, with the sign and the word of each. */
const CHOICES = [
  [PreferredAvailability.ONLINE, 'available', 'presence.available'],
  [PreferredAvailability.BUSY, 'busy', 'presence.busy'],
  [PreferredAvailability.DO_NOT_DISTURB, 'do-not-disturb', 'presence.do-not-disturb'],
  [PreferredAvailability.BE_RIGHT_BACK, 'be-right-back', 'presence.be-right-back'],
  [PreferredAvailability.AWAY, 'away', 'presence.away'],
  [PreferredAvailability.OFF_WORK, 'away', 'presence.off-work'],
  [PreferredAvailability.APPEAR_OFFLINE, 'offline', 'presence.appear-offline'],
] as const;

const useStyles = makeStyles({
  bar: { padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalS}`, flexShrink: 0 },
  trigger: {
    width: '100%',
    maxWidth: 'none',
    justifyContent: 'flex-start',
    gap: tokens.spacingHorizontalM,
    padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalS}`,
    fontWeight: tokens.fontWeightRegular,
    textAlign: 'start',
    minWidth: 0,
  },
  words: { flexGrow: 1, minWidth: 0, display: 'flex', flexDirection: 'column' },
  name: {
    fontWeight: tokens.fontWeightSemibold,
    fontSize: tokens.fontSizeBase400,
    lineHeight: tokens.lineHeightBase400,
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
  },
  state: {
    color: tokens.colorNeutralForeground2,
    fontSize: tokens.fontSizeBase200,
    lineHeight: tokens.lineHeightBase200,
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
  },
  popover: { minWidth: '280px' },
  icon: { margin: '4px' },
  help: { display: 'block', color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  problem: { marginTop: tokens.spacingVerticalS },
});

/** Oneself: state, note, language, password, signing out. */
export function MeMenu() {
  const styles = useStyles();
  const texts = useTexts();
  const { t } = texts;
  const { call, run } = useParley();
  const self = useSelf();
  const person = useSharedOf('person', self);
  const me = useShared('me');
  const [dialog, setDialog] = useState<'note' | 'password'>();
  const [refusal, setRefusal] = useState<Refusal>();
  // what the organisation forbids is offered once at most
  const choices = CHOICES.filter(
    ([choice]) =>
      choice !== PreferredAvailability.APPEAR_OFFLINE || refusal?.code !== 'presence.appear_offline_forbidden',
  );
  const trigger = useRef<HTMLButtonElement>(null);

  const choose = (choice: PreferredAvailability) => {
    setRefusal(undefined);
    void call('setPresence', choice).catch((error: unknown) => setRefusal(refusalOf(error)));
  };
  const close = () => {
    setDialog(undefined);
    trigger.current?.focus();
  };

  return (
    <div className={styles.bar}>
      <Menu
        checkedValues={{
          state: [String(me?.preferred ?? 0)],
          language: [texts.chosen ?? 'auto'],
        }}
        onCheckedValueChange={(_, { name, checkedItems }) => {
          const [picked = ''] = checkedItems;
          if (name === 'state') choose(Number(picked) as PreferredAvailability);
          else texts.choose(picked === 'auto' ? undefined : (picked as Language));
        }}
      >
        <MenuTrigger disableButtonEnhancement>
          <Button ref={trigger as never} appearance="subtle" className={styles.trigger}>
            <PersonPicture person={person} presence={me} size={40} />
            <span className={styles.words}>
              <span className={styles.name}>
                <PersonName person={person} />
              </span>
              <span className={styles.state} title={me?.note || undefined}>
                <PresenceLabel presence={me} />
                {me?.note && (
                  <>
                    {' · '}
                    <bdi>{me.note}</bdi>
                  </>
                )}
              </span>
            </span>
            <Heard>{t('me.menu')}</Heard>
            <ChevronDownRegular aria-hidden="true" />
          </Button>
        </MenuTrigger>
        <MenuPopover className={styles.popover}>
          <MenuList>
            <MenuGroup>
              <MenuGroupHeader>{t('me.state')}</MenuGroupHeader>
              <MenuItemRadio
                name="state"
                value="0"
                icon={<PresenceIcon availability="available" className={styles.icon} />}
              >
                {t('me.auto')}
                <span className={styles.help}>{t('me.auto.help')}</span>
              </MenuItemRadio>
              {choices.map(([choice, availability, text]) => (
                <MenuItemRadio
                  key={choice}
                  name="state"
                  value={String(choice)}
                  icon={<PresenceIcon availability={availability} className={styles.icon} />}
                >
                  {t(text)}
                </MenuItemRadio>
              ))}
            </MenuGroup>
            <MenuDivider />
            <MenuItem icon={<NoteRegular />} onClick={() => setDialog('note')}>
              {t(me?.note ? 'me.note.edit' : 'me.note.add')}
            </MenuItem>
            <MenuItem icon={<KeyRegular />} onClick={() => setDialog('password')}>
              {t('me.change-password')}
            </MenuItem>
            <MenuDivider />
            <MenuGroup>
              <MenuGroupHeader>{t('language.label')}</MenuGroupHeader>
              <MenuItemRadio name="language" value="auto">
                {t('language.auto')}
              </MenuItemRadio>
              {LANGUAGES.map(one => (
                <MenuItemRadio key={one} name="language" value={one} lang={one}>
                  {LANGUAGE_NAMES[one]}
                </MenuItemRadio>
              ))}
            </MenuGroup>
            <MenuDivider />
            <MenuItem icon={<SignOutRegular />} onClick={() => run('signOut')}>
              {t('me.sign-out')}
            </MenuItem>
          </MenuList>
        </MenuPopover>
      </Menu>
      {refusal && (
        <MessageBar intent="error" layout="multiline" role="alert" className={styles.problem}>
          <MessageBarBody>{texts.refusal(refusal)}</MessageBarBody>
        </MessageBar>
      )}
      {dialog === 'note' && <NoteDialog note={me?.note ?? ''} onClose={close} />}
      {dialog === 'password' && <PasswordDialog onClose={close} />}
    </div>
  );
}
