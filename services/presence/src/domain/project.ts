import type { Activity, AggregateState } from './aggregate.ts';
import { AVAILABILITY } from './availability.ts';
import type { Device, Level, PersonDoc } from './person.ts';

/** What a level shows. The revision is no part of it: it says when, not what. */
export interface View {
  readonly personId: string;
  readonly availability: number;
  readonly activity: Activity;
  readonly note: string;
  readonly noteSetAt: number;
  readonly device: Device | undefined;
  readonly lastActiveAt: number;
  readonly mobileOnly: boolean;
}

/** The part of a document that a view shows beside the state. */
export type Shown = Pick<PersonDoc, '_id' | 'note' | 'modeSince'>;

/**
 * What `level` may see of the state. External people get the bare state (the reference contradicts itself on the note,
 * so it is kept back); only the workgroup learns that urgent interruptions are welcome.
 */
export function project(state: AggregateState, shown: Shown, level: Level, showLastActive: boolean): View {
  if (level === 'blocked') return { ...NOTHING, personId: shown._id };
  const urgent = level === 'workgroup' && state.mode === 'do-not-disturb';
  const bare: View = {
    ...NOTHING,
    personId: shown._id,
    availability: urgent ? AVAILABILITY.urgentInterruptionsOnly : state.availability,
    activity: urgent ? 'urgent-interruptions-only' : state.activity,
  };
  if (level === 'external') return bare;
  return {
    ...bare,
    note: shown.note?.text ?? '',
    noteSetAt: shown.note?.setAt ?? 0,
    device: state.device,
    lastActiveAt: showLastActive ? shown.modeSince : 0,
    mobileOnly: state.mobileOnly,
  };
}

const NOTHING: View = {
  personId: '',
  availability: AVAILABILITY.offline,
  activity: '',
  note: '',
  noteSetAt: 0,
  device: undefined,
  lastActiveAt: 0,
  mobileOnly: false,
};

/** What everybody sees of somebody who was never here, or does not exist. */
export function offlineView(personId: string): View {
  return { ...NOTHING, personId };
}
