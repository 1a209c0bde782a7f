import {
  type AvailabilityClass,
  availabilityClass,
  DeviceType,
  MachineState,
  PreferredAvailability,
  type PresenceView,
} from '@parley/client';
import type { Printer } from './printer.ts';
import { oneLine } from './text.ts';
import { isoOf } from './time.ts';

/** States a person can choose, by the names used on the command line; the first name is the one shown. */
export const STATE_NAMES: Readonly<Record<string, PreferredAvailability>> = {
  available: PreferredAvailability.ONLINE,
  busy: PreferredAvailability.BUSY,
  'do-not-disturb': PreferredAvailability.DO_NOT_DISTURB,
  'be-right-back': PreferredAvailability.BE_RIGHT_BACK,
  away: PreferredAvailability.AWAY,
  'off-work': PreferredAvailability.OFF_WORK,
  'appear-offline': PreferredAvailability.APPEAR_OFFLINE,
};

/** Shorter names for some of them. */
export const STATE_ALIASES: Readonly<Record<string, string>> = {
  online: 'available',
  dnd: 'do-not-disturb',
  brb: 'be-right-back',
};

const COLOURS: Readonly<Record<AvailabilityClass, Parameters<Printer['style']>[0]>> = {
  unknown: 'dim',
  available: 'green',
  inactive: 'yellow',
  busy: 'red',
  'busy-idle': 'red',
  'do-not-disturb': 'red',
  'be-right-back': 'yellow',
  away: 'yellow',
  offline: 'dim',
};

const WORDS: Readonly<Record<AvailabilityClass, string>> = {
  unknown: 'unknown',
  available: 'available',
  inactive: 'inactive',
  busy: 'busy',
  'busy-idle': 'busy, idle',
  'do-not-disturb': 'do not disturb',
  'be-right-back': 'be right back',
  away: 'away',
  offline: 'offline',
};

const DEVICES: Readonly<Record<DeviceType, string>> = {
  [DeviceType.UNSPECIFIED]: '',
  [DeviceType.COMPUTER]: 'computer',
  [DeviceType.WEB]: 'web',
  [DeviceType.MOBILE]: 'mobile',
  [DeviceType.DESK_PHONE]: 'desk phone',
};

/** Name of a kind of device; empty when it is not known. */
export const deviceName = (device: DeviceType): string => DEVICES[device] ?? '';

const MACHINES: Readonly<Record<MachineState, string>> = {
  [MachineState.UNSPECIFIED]: '',
  [MachineState.ACTIVE]: 'active',
  [MachineState.INACTIVE]: 'inactive',
  [MachineState.AWAY]: 'away',
};

/** What somebody does at a device; empty when it is not known. */
export const machineName = (state: MachineState): string => MACHINES[state] ?? '';

/** Name of a state somebody chose; its number when it is one of a later version. */
export const stateName = (state: PreferredAvailability): string =>
  Object.entries(STATE_NAMES).find(([, value]) => value === state)?.[0] ?? `state-${state}`;

/** Availability in words, with the activity when there is one: `busy, in a meeting`. */
export function availabilityText({ availability, activity }: PresenceView): string {
  const state = WORDS[availabilityClass(availability)];
  return activity ? `${state}, ${oneLine(activity).replaceAll('-', ' ')}` : state;
}

/** As `availabilityText`, in the colour of the class. */
export const paintAvailability = (print: Printer, view: PresenceView, text = availabilityText(view)): string =>
  print.style(COLOURS[availabilityClass(view.availability)], text);

/** Presence as JSON. */
export function presenceJson(view: PresenceView) {
  const noteSetAt = isoOf(view.noteSetMs);
  const lastActiveAt = isoOf(view.lastActiveMs);
  return {
    personId: view.personId,
    state: availabilityClass(view.availability),
    availability: view.availability,
    ...(view.activity && { activity: view.activity }),
    ...(view.note && { note: view.note }),
    ...(noteSetAt && { noteSetAt }),
    ...(lastActiveAt && { lastActiveAt }),
    ...(view.device !== DeviceType.UNSPECIFIED && { device: deviceName(view.device) }),
    ...(view.mobileOnly && { mobileOnly: true }),
  };
}
