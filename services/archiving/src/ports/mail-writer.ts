import type { Party } from '../domain/audit-entry.ts';

/** A message of an export. */
export interface Mail {
  readonly messageId: string;
  readonly from: Party;
  readonly to: readonly Party[];
  readonly subject: string;
  readonly dateMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly attachment: { readonly name: string; readonly mediaType: string; readonly content: string };
}

/** Writes messages in the form of RFC 5322. */
export interface MailWriter {
  /** The same bytes for the same message. */
  write(mail: Mail): Promise<Uint8Array>;
}
