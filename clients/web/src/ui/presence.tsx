import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import type { AvailabilityClass } from '@parley/client';
import type { PresenceInfo } from '../engine/state.ts';
import type { TextKey } from '../i18n/en.ts';
import { nearest } from '../i18n/language.ts';
import { type Texts, useTexts } from './texts.tsx';

const ACTIVITIES = new Set([
  'on-the-phone',
  'in-a-conference',
  'in-a-meeting',
  'out-of-office',
  'urgent-interruptions-only',
  'off-work',
  'in-presentation',
]);

/** What a state is called: the organisation's own word, the activity, or the class. */
export function presenceText({ t, language }: Texts, presence: PresenceInfo | undefined): string {
  if (!presence) return t('presence.unknown');
  const { availability, activity, mobile, custom } = presence;
  const own = Object.keys(custom).find(tag => nearest(tag) === language);
  const state =
    own !== undefined
      ? (custom[own] as string)
      : ACTIVITIES.has(activity)
        ? t(`activity.${activity}` as TextKey)
        : t(`presence.${availability}`);
  return mobile && availability !== 'offline' ? t('presence.mobile', { state }) : state;
}

const COLOURS: Readonly<Record<AvailabilityClass, string>> = {
  available: 'var(--presence-available)',
  inactive: 'var(--presence-available)',
  busy: 'var(--presence-busy)',
  'busy-idle': 'var(--presence-busy)',
  'do-not-disturb': 'var(--presence-busy)',
  'be-right-back': 'var(--presence-away)',
  away: 'var(--presence-away)',
  offline: 'var(--presence-none)',
  unknown: 'var(--presence-none)',
};

const useStyles = makeStyles({
  icon: { display: 'block', flexShrink: 0, borderRadius: '50%', backgroundColor: tokens.colorNeutralBackground1 },
});

/** The sign of a state. Each has a shape of its own; the text stands beside it, so it is hidden from screen readers. */
export function PresenceIcon(props: {
  readonly availability: AvailabilityClass;
  readonly size?: number;
  readonly className?: string;
}) {
  const { availability, size = 12 } = props;
  const styles = useStyles();
  return (
    <svg
      className={mergeClasses(styles.icon, props.className)}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
      focusable="false"
      data-availability={availability}
      color={COLOURS[availability]}
    >
      <Shape availability={availability} />
    </svg>
  );
}

function Shape({ availability }: { readonly availability: AvailabilityClass }) {
  const ring = <circle cx="8" cy="8" r="6.75" fill="none" stroke="currentColor" strokeWidth="2" />;
  const disc = <circle cx="8" cy="8" r="7.75" fill="currentColor" />;
  const half = <path d="M8 1.25a6.75 6.75 0 0 0 0 13.5z" fill="currentColor" />;
  const line = (d: string, inside: boolean) => (
    <path
      d={d}
      fill="none"
      stroke={inside ? tokens.colorNeutralBackground1 : 'currentColor'}
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
    />
  );
  switch (availability) {
    case 'available':
      return (
        <>
          {disc}
          {line('m4.6 8.3 2.4 2.4 4.4-4.9', true)}
        </>
      );
    case 'inactive':
      return (
        <>
          {ring}
          {half}
        </>
      );
    case 'busy-idle':
      return (
        <>
          {ring}
          <circle cx="8" cy="8" r="3.6" fill="currentColor" />
        </>
      );
    case 'busy':
      return disc;
    case 'do-not-disturb':
      return (
        <>
          {disc}
          {line('M4.5 8h7', true)}
        </>
      );
    case 'be-right-back':
      return (
        <>
          {disc}
          {line('M7 4.8 4.4 7.4 7 10M4.6 7.4h5a2 2 0 0 1 2 2v1.4', true)}
        </>
      );
    case 'away':
      return (
        <>
          {disc}
          {line('M7.6 4.2v4.2l2.8 1.8', true)}
        </>
      );
    case 'offline':
      return (
        <>
          {ring}
          {line('m5.9 5.9 4.2 4.2m0-4.2-4.2 4.2', false)}
        </>
      );
    case 'unknown':
      return (
        <>
          <circle cx="8" cy="8" r="6.75" fill="none" stroke="currentColor" strokeWidth="2" strokeDasharray="3 2.3" />
          <circle cx="8" cy="8" r="1.4" fill="currentColor" />
        </>
      );
  }
}

/** Sign and word of a state. */
export function PresenceLabel({
  presence,
  className,
}: {
  readonly presence: PresenceInfo | undefined;
  readonly className?: string | undefined;
}) {
  const texts = useTexts();
  return <span className={className}>{presenceText(texts, presence)}</span>;
}
