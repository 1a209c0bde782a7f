/** What messaging needs to know of somebody. */
export interface Person {
  readonly id: string;
  /** Whether he may write and be written to. */
  readonly enabled: boolean;
  /** Whether he is of this organisation. */
  readonly internal: boolean;
  readonly site: string;
  readonly displayName: string;
  readonly address: string;
  /** Grows with every change of anything here. */
  readonly version: number;
  readonly archiving: ArchivingPolicy;
}

export interface ArchivingPolicy {
  readonly internal: boolean;
  readonly external: boolean;
  readonly critical: boolean;
  readonly scope: 'global' | 'site' | 'person';
}

export type SendProblem = 'sender_disabled' | 'recipient_not_found' | 'recipient_disabled';

/** Why one may not write to the other; undefined when he may. */
export function sendProblem(sender: Person | undefined, recipient: Person | undefined): SendProblem | undefined {
  if (!sender?.enabled) return 'sender_disabled';
  if (!recipient) return 'recipient_not_found';
  return recipient.enabled ? undefined : 'recipient_disabled';
}
