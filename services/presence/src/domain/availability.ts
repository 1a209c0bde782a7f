import type { Mode } from './person.ts';

/** Numbers published for each state; classes are ranges, so that others may publish in between. */
export const AVAILABILITY = {
  available: 3500,
  availableIdle: 5000,
  busy: 6500,
  urgentInterruptionsOnly: 6900,
  busyIdle: 7500,
  doNotDisturb: 9500,
  beRightBack: 12500,
  away: 15500,
  offline: 18500,
} as const;

const CLASSES: readonly (readonly [from: number, mode: Mode])[] = [
  [18000, 'offline'],
  [15000, 'away'],
  [12000, 'be-right-back'],
  [9000, 'do-not-disturb'],
  [7500, 'busy-idle'],
  [6000, 'busy'],
  [4500, 'available-idle'],
  [3000, 'available'],
];

/** Class of an availability number. */
export function modeOf(availability: number): Mode {
  return CLASSES.find(([from]) => availability >= from)?.[1] ?? 'unknown';
}
