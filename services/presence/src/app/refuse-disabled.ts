import { err } from '../errors.ts';
import type { Core } from './core.ts';

/** Refuses whoever was disabled or deleted while his token still stands; undefined when he is known not to be. */
export function refuseDisabled(core: Core, personId: string): Promise<void> | undefined {
  const disabled = core.watchers.disabled(personId);
  if (typeof disabled !== 'boolean') return disabled.then(is => refuseIf(core, is));
  refuseIf(core, disabled);
  return undefined;
}

function refuseIf(core: Core, disabled: boolean): void {
  if (!disabled) return;
  core.events.accountRefused();
  throw err('presence.account_disabled');
}
