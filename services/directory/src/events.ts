import type { LogFields, Logger, Metrics } from '@parley/runtime';

/** What a log line says about the call that caused it. */
export interface Cause {
  readonly requestId: string;
  /** Who did it, when it was not the person himself. */
  readonly actorId?: string;
}

export type RefusalReason =
  | 'unknown_address'
  | 'no_password'
  | 'wrong_password'
  | 'disabled'
  | 'locked'
  | 'rate'
  | 'busy';
export const importActions = ['created', 'updated', 'unchanged', 'refused'] as const;
export type ImportAction = (typeof importActions)[number];
export type RefreshOutcome = 'rotated' | 'repeated' | 'reused' | 'over' | 'invalid' | 'rate';

export type DirectoryEvents = ReturnType<typeof createDirectoryEvents>;

/** Every business event of the directory: log line and counter together. Never an address, a password or a token. */
export function createDirectoryEvents(deps: { readonly logger: Logger; readonly metrics: Metrics }) {
  const { logger } = deps;
  const m = defineMetrics(deps.metrics);
  const change = (kind: string, fields: LogFields, cause: Cause) => {
    m.changes.inc({ kind });
    logger.info(`directory.${kind}`, { ...fields, ...cause });
  };
  return {
    signedIn(personId: string, signInId: string, cause: Cause) {
      m.signIns.inc({ outcome: 'signed_in' });
      logger.info('directory.sign_in.accepted', { personId, signInId, ...cause });
    },
    signInRefused(reason: RefusalReason, personId: string | undefined, cause: Cause) {
      m.signIns.inc({ outcome: reason });
      logger.info('directory.sign_in.refused', { reason, personId, ...cause });
    },
    lockedOut(personId: string | undefined, untilMs: number, cause: Cause) {
      m.lockouts.inc();
      logger.warn('directory.sign_in.locked', { personId, untilMs, ...cause });
    },
    refreshed(outcome: RefreshOutcome, signInId: string | undefined, cause: Cause) {
      m.refreshes.inc({ outcome });
      const level = outcome === 'rotated' || outcome === 'repeated' ? 'debug' : 'info';
      logger[level]('directory.refresh', { outcome, signInId, ...cause });
    },
    refreshReused(personId: string, signInId: string, cause: Cause) {
      m.refreshes.inc({ outcome: 'reused' });
      logger.warn('directory.refresh.reused', { personId, signInId, ...cause });
    },
    passwordHashed(seconds: number) {
      m.hashSeconds.observe(seconds);
    },
    hashesWaiting(count: number) {
      m.hashQueue.set(count);
    },
    passwordRehashFailed(personId: string, err: unknown) {
      logger.warn('directory.password.rehash_failed', {
        personId,
        reason: err instanceof Error ? err.name : 'unknown',
      });
    },
    signedOut(personId: string, signInId: string | undefined, everywhere: boolean, cause: Cause) {
      change('signed_out', { personId, signInId, everywhere }, cause);
    },
    passwordChanged(personId: string, cause: Cause) {
      change('password_changed', { personId }, cause);
    },
    passwordReset(personId: string, cause: Cause) {
      change('password_reset', { personId }, cause);
    },
    personCreated(personId: string, roles: readonly string[], cause: Cause) {
      change('person_created', { personId, roles }, cause);
    },
    personRenamed(personId: string, addressChanged: boolean, cause: Cause) {
      change('person_renamed', { personId, addressChanged }, cause);
    },
    accountStateChanged(personId: string, state: string, cause: Cause) {
      change('account_state_changed', { personId, state }, cause);
    },
    accountUnlocked(personId: string, cause: Cause) {
      change('account_unlocked', { personId }, cause);
    },
    rolesChanged(personId: string, roles: readonly string[], cause: Cause) {
      change('roles_changed', { personId, roles }, cause);
    },
    personDeleted(personId: string, cause: Cause) {
      change('person_deleted', { personId }, cause);
    },
    personRestored(personId: string, state: string, cause: Cause) {
      change('person_restored', { personId, state }, cause);
    },
    personUpdated(personId: string, fields: readonly string[], cause: Cause) {
      change('person_updated', { personId, changed: fields }, cause);
    },
    peopleImported(rows: Readonly<Record<ImportAction, number>>, cause: Cause) {
      for (const action of importActions) if (rows[action] > 0) m.importRows.inc({ outcome: action }, rows[action]);
      logger.info('directory.import', { ...rows, ...cause });
    },
    groupChanged(groupId: string, kind: 'group_made' | 'group_changed' | 'group_deleted', cause: Cause) {
      change(kind, { groupId }, cause);
    },
    membersChanged(groupId: string, added: number, removed: number, cause: Cause) {
      change('group_members_changed', { groupId, added, removed }, cause);
    },
    rightsRefused(reason: 'sign_in_over' | 'role_lost', personId: string, cause: Cause) {
      m.staleTokens.inc({ reason });
      logger.info('directory.rights.refused', { reason, personId, ...cause });
    },
    addressTakenOver(personId: string, fromPersonId: string) {
      m.changes.inc({ kind: 'address_taken_over' });
      logger.warn('directory.address.taken_over', { personId, fromPersonId });
    },
    policyChanged(scope: string, personId: string | undefined, policy: LogFields, cause: Cause) {
      change('policy_changed', { scope, personId, ...policy }, cause);
    },
  };
}

function defineMetrics(metrics: Metrics) {
  return {
    signIns: metrics.counter<'outcome'>({
      name: 'parley_directory_sign_ins_total',
      help: 'Attempts to sign in with a password, by outcome.',
      labels: ['outcome'],
    }),
    lockouts: metrics.counter({
      name: 'parley_directory_lockouts_total',
      help: 'Times that sign-in was locked after too many wrong passwords.',
    }),
    refreshes: metrics.counter<'outcome'>({
      name: 'parley_directory_refreshes_total',
      help: 'Refreshes of tokens, by outcome.',
      labels: ['outcome'],
    }),
    changes: metrics.counter<'kind'>({
      name: 'parley_directory_changes_total',
      help: 'Changes of people, accounts, groups and policies, by kind.',
      labels: ['kind'],
    }),
    importRows: metrics.counter<'outcome'>({
      name: 'parley_directory_import_rows_total',
      help: 'Rows of imported files, by what became of them.',
      labels: ['outcome'],
    }),
    staleTokens: metrics.counter<'reason'>({
      name: 'parley_directory_stale_tokens_total',
      help: 'Calls refused although the access token was valid, because sign-in or role had ended meanwhile.',
      labels: ['reason'],
    }),
    hashSeconds: metrics.histogram({
      name: 'parley_directory_password_hash_seconds',
      help: 'Time to hash one password, without waiting, in seconds.',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    }),
    hashQueue: metrics.gauge({
      name: 'parley_directory_password_hash_queue',
      help: 'Passwords waiting to be hashed.',
    }),
  };
}
