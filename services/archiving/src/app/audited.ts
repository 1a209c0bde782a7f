import { asParleyError, type CallContext, personOf } from '@parley/rpc';
import type { AuditAction, AuditEntry, Party, Purpose } from '../domain/audit-entry.ts';
import type { Telemetry } from '../events.ts';
import type { PeopleReader } from '../ports/people.ts';
import type { AuditLog } from './audit-log.ts';

export interface AuditedDeps {
  readonly audit: AuditLog;
  readonly people: PeopleReader;
  readonly telemetry: Telemetry;
}

/** Who calls, as the directory knows him; only his id when it does not answer. */
export async function callerOf(people: PeopleReader, context: CallContext): Promise<Party> {
  const { id } = personOf(context);
  const found = await people.find({ ids: [id], addresses: [] }, context).catch(() => []);
  return found.find(person => person.id === id) ?? { id, address: '', displayName: '' };
}

/** Why a call came to nothing, as the audit log says it. */
export const refusalOf = (error: unknown, signal: AbortSignal): string =>
  signal.aborted ? 'cancelled' : asParleyError(error).code;

/**
 * Does `work`, writes down who asked what and what came of it, and only then gives the result away. What is refused is
 * written down as well: that something is not there is an answer, too.
 */
export async function audited<T>(
  { audit, people, telemetry }: AuditedDeps,
  asked: {
    readonly action: Extract<AuditAction, 'search' | 'view' | 'locate'>;
    readonly purpose: Purpose;
    readonly detail: object;
    readonly context: CallContext;
  },
  work: () => Promise<{ readonly result: T; readonly outcome: object }>,
): Promise<{ readonly result: T; readonly entry: AuditEntry }> {
  const { action, purpose, detail, context } = asked;
  const person = await callerOf(people, context);
  const about = { person, peer: context.peer, action, purpose, detail };
  try {
    const { result, outcome } = await work();
    const entry = await audit.write({ ...about, outcome });
    telemetry.read(action, person.id, entry.auditId, undefined);
    return { result, entry };
  } catch (error) {
    const refused = refusalOf(error, context.signal);
    if (refused === 'archive.audit_unavailable') throw error;
    const entry = await audit.write({ ...about, outcome: { refused } });
    telemetry.read(action, person.id, entry.auditId, refused);
    throw error;
  }
}
