import { createParleyClient, webTokenStore } from '@parley/client';
import { CLIENT_NAME } from '../engine/engine.ts';
import { refusalOf } from '../engine/messages.ts';
import type { Refusal } from '../tabs/protocol.ts';

/**
 * Passwords stay in the tab in which they are typed: a client for this one call writes the tokens where the leading
 * tab finds them.
 */
const account = () =>
  createParleyClient({ baseUrl: location.origin, name: CLIENT_NAME, tokens: webTokenStore(localStorage) });

async function outcome(work: Promise<unknown>): Promise<Refusal | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return refusalOf(error);
  }
}

/** The password somebody has just signed in with, so that a forced change does not ask for it again. */
let justUsed = '';

/** See {@link justUsed}; empty when there is none. */
export const passwordJustUsed = (): string => justUsed;

/** Signs in; resolves with the refusal, if any. */
export const signIn = (address: string, password: string): Promise<Refusal | undefined> =>
  outcome(
    (async () => {
      const { passwordChangeRequired } = await account().signIn(address.trim(), password, { deviceLabel: device() });
      justUsed = passwordChangeRequired ? password : '';
    })(),
  );

/** Changes one's own password; resolves with the refusal, if any. */
export const changePassword = (current: string, next: string): Promise<Refusal | undefined> =>
  outcome(
    (async () => {
      await account().changePassword(current, next);
      justUsed = '';
    })(),
  );

/** What to call this sign-in in the list of sign-ins. */
function device(): string {
  const agent = navigator.userAgent;
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(agent)?.[1] ?? 'Browser';
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|CrOS|Linux)/.exec(agent)?.[1] ?? '';
  return `Parley web, ${browser === 'Edg' ? 'Edge' : browser}${system && `, ${system}`}`;
}
