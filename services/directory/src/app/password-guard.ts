import { createHash } from 'node:crypto';
import { ParleyError } from '@parley/rpc';
import type { Clock } from '@parley/runtime';
import { afterFailure, guessesLeft, type LockoutRule, lockedForMs, noAttempts } from '../domain/attempts.ts';
import { directoryErrors as err } from '../errors.ts';
import type { DirectoryEvents } from '../events.ts';
import type { PasswordHasher } from '../ports/password-hasher.ts';
import type { Records } from '../ports/records.ts';
import { type Call, causeOf } from './call.ts';
import { attemptsIdOf } from './find-person.ts';
import { maxTries, revisionOf } from './update.ts';

export interface PasswordGuardNeeds extends Pick<Records, 'attempts'> {
  readonly clock: Clock;
  readonly hasher: PasswordHasher;
  readonly lockoutRule: LockoutRule;
  readonly events: Pick<DirectoryEvents, 'lockedOut' | 'signInRefused'>;
}

/** Whose password is guessed: a person, or an address that is nobody's and must look the same. */
export type Subject = { readonly personId: string } | { readonly unknownAddress: string };

export interface PasswordGuard {
  /**
   * Whether the password is the stored one, which may be missing. Wrong ones are counted and lock; while locked, and
   * while as many guesses are under way as are left, it refuses without looking.
   */
  check(subject: Subject, password: string, stored: string | null | undefined, call: Call): Promise<boolean>;
}

export function createPasswordGuard(needs: PasswordGuardNeeds): PasswordGuard {
  // Guesses under way here: parallel ones must not get more tries than the lock allows in a row.
  const underWay = new Map<string, number>();

  async function recordFailure(id: string, personId: string | undefined, call: Call): Promise<void> {
    for (let i = 0; i < maxTries; i++) {
      const now = needs.clock.now();
      const doc = await needs.attempts.get(id);
      const { next, locked } = afterFailure(doc ?? { _id: id, ...noAttempts }, now, needs.lockoutRule);
      if (doc && next === doc) return;
      const stored = doc
        ? (await needs.attempts.replace(next, revisionOf(doc))).replaced
        : (await needs.attempts.insert(next)).inserted;
      if (!stored) continue;
      if (locked) needs.events.lockedOut(personId, next.lockedUntilMs, causeOf(call));
      return;
    }
    throw err('directory.busy');
  }

  return {
    async check(subject, password, stored, call) {
      const personId = 'personId' in subject ? subject.personId : undefined;
      const id = 'personId' in subject ? attemptsIdOf(subject.personId) : unknownId(subject.unknownAddress);
      const attempts = await needs.attempts.get(id);
      const now = needs.clock.now();
      const wait = attempts ? lockedForMs(attempts, now) : 0;
      if (wait > 0) {
        needs.events.signInRefused('locked', personId, causeOf(call));
        throw err('directory.sign_in_locked', { retryAfterMs: wait });
      }
      const busy = underWay.get(id) ?? 0;
      if (busy >= guessesLeft(attempts ?? noAttempts, now, needs.lockoutRule)) {
        needs.events.signInRefused('busy', personId, causeOf(call));
        throw err('directory.sign_in_busy', { retryAfterMs: 1000 });
      }
      underWay.set(id, busy + 1);
      try {
        const right = await needs.hasher.verify(password, stored, call.signal);
        if (!right) await recordFailure(id, personId, call);
        else if (attempts) await needs.attempts.delete(id, revisionOf(attempts));
        return right;
      } catch (error) {
        if (error instanceof ParleyError && error.code === 'directory.sign_in_busy') {
          needs.events.signInRefused('busy', personId, causeOf(call));
        }
        throw error;
      } finally {
        const left = (underWay.get(id) ?? 1) - 1;
        if (left > 0) underWay.set(id, left);
        else underWay.delete(id);
      }
    },
  };
}

function unknownId(address: string): string {
  return `a:${createHash('sha256').update(address).digest('base64url')}`;
}
