import { Avatar, makeStyles, tokens } from '@fluentui/react-components';
import type { PersonInfo, PresenceInfo } from '../engine/state.ts';
import { initialsOf } from '../text/initials.ts';
import { usePhoto } from './photo.ts';
import { PresenceIcon } from './presence.tsx';
import { type Texts, useTexts } from './texts.tsx';

/** What to call somebody of whom nothing may be known yet. */
export function nameOf({ t }: Texts, person: PersonInfo | undefined): string {
  if (!person) return '…';
  return person.known ? person.displayName : t('people.unknown');
}

const useStyles = makeStyles({
  picture: { position: 'relative', flexShrink: 0, display: 'inline-flex' },
  badge: {
    position: 'absolute',
    insetInlineEnd: '-2px',
    insetBlockEnd: '-2px',
    padding: '2px',
    borderRadius: '50%',
    backgroundColor: tokens.colorNeutralBackground1,
  },
});

/** A person's picture with the sign of his state. */
export function PersonPicture(props: {
  readonly person: PersonInfo | undefined;
  readonly presence: PresenceInfo | undefined;
  readonly size: 32 | 40 | 48;
}) {
  const styles = useStyles();
  const name = nameOf(useTexts(), props.person);
  const photo = usePhoto(props.person);
  return (
    <span className={styles.picture} aria-hidden="true">
      <Avatar
        name={name}
        initials={initialsOf(name)}
        {...(photo !== undefined && { image: { src: photo, alt: '' } })}
        size={props.size}
        color="colorful"
        idForColor={props.person?.id ?? ''}
        role="presentation"
      />
      <span className={styles.badge}>
        <PresenceIcon availability={props.presence?.availability ?? 'unknown'} />
      </span>
    </span>
  );
}

/** A name, in its own direction whatever stands around it. */
export function PersonName({ person }: { readonly person: PersonInfo | undefined }) {
  return <bdi>{nameOf(useTexts(), person)}</bdi>;
}
