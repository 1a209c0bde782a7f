import type { RoleName } from '../domain/roles.ts';
import { isInForce } from '../domain/sign-in.ts';
import { directoryErrors as err } from '../errors.ts';
import type { DirectoryEvents } from '../events.ts';
import type { Records } from '../ports/records.ts';
import { type Actor, type Call, causeOf } from './call.ts';

export interface StandingNeeds extends Pick<Records, 'signIns' | 'accounts'> {
  readonly clock: { now(): number; monotonic(): number };
  readonly events: DirectoryEvents;
  /** For how long an answer may be used again. */
  readonly standingMaxAgeMs: number;
}

/** What becomes of rights between the moment an access token is made and its end. */
export interface Standing {
  /**
   * The roles of the token that he still holds. Refuses when the sign-in is over (ended, disabled, deleted, another
   * password) or when he holds none of `needed` any more. `fresh` reads anew.
   */
  check(actor: Actor, needed: readonly RoleName[], fresh: boolean, call: Call): Promise<readonly RoleName[]>;
}

interface Seen {
  readonly atMs: number;
  readonly personId: string;
  /** Undefined: the sign-in is over. */
  readonly roles: readonly RoleName[] | undefined;
}

const maxSeen = 20_000;

export function createStanding(needs: StandingNeeds): Standing {
  const seen = new Map<string, Seen>();

  async function look(actor: Actor, fresh: boolean): Promise<Seen> {
    const now = needs.clock.monotonic();
    const known = seen.get(actor.signInId);
    if (!fresh && known?.personId === actor.personId && now - known.atMs < needs.standingMaxAgeMs) return known;
    const [signIn, account] = await Promise.all([
      needs.signIns.get(actor.signInId),
      needs.accounts.get(actor.personId),
    ]);
    const stands = signIn?.personId === actor.personId && isInForce(signIn, account, needs.clock.now());
    const found = { atMs: now, personId: actor.personId, roles: stands ? (account?.roles ?? []) : undefined };
    seen.delete(actor.signInId);
    const [oldest] = seen.keys();
    if (seen.size >= maxSeen && oldest !== undefined) seen.delete(oldest);
    seen.set(actor.signInId, found);
    return found;
  }

  return {
    async check(actor, needed, fresh, call) {
      const { roles } = await look(actor, fresh);
      if (!roles) {
        needs.events.rightsRefused('sign_in_over', actor.personId, causeOf(call));
        throw err('directory.sign_in_over');
      }
      const held = actor.roles.filter(role => roles.includes(role));
      if (needed.length > 0 && !needed.some(role => held.includes(role))) {
        needs.events.rightsRefused('role_lost', actor.personId, causeOf(call));
        throw err('directory.role_lost');
      }
      return held;
    },
  };
}
