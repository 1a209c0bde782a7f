import type { Account } from './account.ts';
import { equalBytes } from './refresh-token.ts';

/** One sign-in: the family of all refresh tokens that follow from it. */
export interface SignIn {
  readonly v: 1;
  readonly personId: string;
  /** Epoch of the account at sign-in. */
  readonly epoch: number;
  readonly deviceLabel: string;
  readonly createdMs: number;
  readonly usedMs: number;
  readonly idleEndMs: number;
  readonly absoluteEndMs: number;
  readonly endedMs: number | null;
  readonly endReason: EndReason | null;
  /** How often it was refreshed. */
  readonly generation: number;
  readonly currentHash: Uint8Array;
  readonly previousHash: Uint8Array | null;
  readonly rotatedMs: number;
  /** When the document may be removed. */
  readonly expiresMs: number;
}

export type EndReason = 'signed_out' | 'reused';

export interface RefreshRule {
  readonly idleMs: number;
  readonly absoluteMs: number;
  /** For how long the immediate predecessor still gets its successor. */
  readonly graceMs: number;
}

/** Kept for a while after its end, so that a late refresh is told why. */
const keepEndedMs = 24 * 3600 * 1000;

export function newSignIn(
  init: Pick<SignIn, 'personId' | 'epoch' | 'deviceLabel' | 'currentHash'>,
  now: number,
  rule: RefreshRule,
): SignIn {
  const absoluteEndMs = now + rule.absoluteMs;
  const idleEndMs = Math.min(now + rule.idleMs, absoluteEndMs);
  return {
    v: 1,
    ...init,
    createdMs: now,
    usedMs: now,
    idleEndMs,
    absoluteEndMs,
    endedMs: null,
    endReason: null,
    generation: 0,
    previousHash: null,
    rotatedMs: now,
    expiresMs: idleEndMs + keepEndedMs,
  };
}

/** Whether the sign-in still counts; `account` is that of its person. */
export function isInForce(
  signIn: Pick<SignIn, 'endedMs' | 'idleEndMs' | 'epoch'>,
  account: Pick<Account, 'state' | 'epoch'> | undefined,
  now: number,
): boolean {
  return (
    account !== undefined &&
    account.state === 'enabled' &&
    account.epoch === signIn.epoch &&
    signIn.endedMs === null &&
    now < signIn.idleEndMs
  );
}

export type RefreshDecision<S> =
  | { readonly kind: 'rotate'; readonly next: S }
  /** The answer got lost, or two tabs asked at once: the same successor once more. */
  | { readonly kind: 'repeat' }
  /** An old token came back: theft, or a client that lost its state. */
  | { readonly kind: 'reused'; readonly next: S }
  | { readonly kind: 'over'; readonly reused: boolean }
  | { readonly kind: 'invalid' };

export function decideRefresh<S extends SignIn>(
  signIn: S,
  account: Pick<Account, 'state' | 'epoch'> | undefined,
  presented: { readonly hash: Uint8Array; readonly successorHash: Uint8Array; readonly genuine: boolean },
  now: number,
  rule: RefreshRule,
): RefreshDecision<S> {
  const current = equalBytes(presented.hash, signIn.currentHash);
  const previous = signIn.previousHash !== null && equalBytes(presented.hash, signIn.previousHash);
  if (!current && !previous && !presented.genuine) return { kind: 'invalid' };
  if (!isInForce(signIn, account, now)) return { kind: 'over', reused: signIn.endReason === 'reused' };
  if (current) return { kind: 'rotate', next: rotate(signIn, presented.successorHash, now, rule) };
  if (previous && now - signIn.rotatedMs <= rule.graceMs) {
    // The successor follows from the server's key; after a change of key it is not the one that was given out.
    return equalBytes(presented.successorHash, signIn.currentHash) ? { kind: 'repeat' } : { kind: 'invalid' };
  }
  return { kind: 'reused', next: endSignIn(signIn, 'reused', now) };
}

export function endSignIn<S extends SignIn>(signIn: S, endReason: EndReason, now: number): S {
  return { ...signIn, endedMs: now, endReason, expiresMs: Math.min(signIn.expiresMs, now + keepEndedMs) };
}

function rotate<S extends SignIn>(signIn: S, successorHash: Uint8Array, now: number, rule: RefreshRule): S {
  const idleEndMs = Math.min(now + rule.idleMs, signIn.absoluteEndMs);
  return {
    ...signIn,
    usedMs: now,
    idleEndMs,
    generation: signIn.generation + 1,
    previousHash: signIn.currentHash,
    currentHash: successorHash,
    rotatedMs: now,
    expiresMs: idleEndMs + keepEndedMs,
  };
}
