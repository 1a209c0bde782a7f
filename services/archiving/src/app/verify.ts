import type { CallContext } from '@parley/rpc';
import type { ArchivingConfig } from '../config.ts';
import { archivingErrors } from '../errors.ts';
import { type AuditedDeps, callerOf } from './audited.ts';
import type { Verification, VerifyEvent } from './verification.ts';

export interface VerifyDeps extends AuditedDeps {
  readonly verification: Verification;
  readonly settings: Pick<ArchivingConfig, 'maxVerifications'>;
}

export interface VerifyCommand {
  readonly reportRecords: boolean;
  readonly settleMs: number;
  readonly context: CallContext;
}

export type Verify = (command: VerifyCommand) => AsyncGenerator<VerifyEvent>;

/** A verification that somebody asks for: written to the audit log first, and few at a time. */
export function createVerify({ verification, settings, telemetry, audit, people }: VerifyDeps): Verify {
  let running = 0;

  return async function* verify(command) {
    if (running >= settings.maxVerifications)
      throw archivingErrors('archive.verify_busy', {
        params: { limit: settings.maxVerifications },
        retryAfterMs: 5_000,
      });
    running++;
    try {
      const { context, reportRecords, settleMs } = command;
      const person = await callerOf(people, context);
      const about = { person, peer: context.peer, purpose: { caseId: '', reason: '' } };
      await audit.write({ ...about, action: 'verify', detail: { report_records: reportRecords }, outcome: {} });
      telemetry.verifyStarted(person.id);
      yield* verification({ reportRecords, settleMs, signal: context.signal });
    } finally {
      running--;
    }
  };
}
