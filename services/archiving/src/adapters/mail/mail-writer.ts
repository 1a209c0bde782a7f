import { hash } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';
import type { Party } from '../../domain/audit-entry.ts';
import type { MailWriter } from '../../ports/mail-writer.ts';

/** Messages made by nodemailer, which knows the rules of headers, names and encodings. */
export function createMailWriter(): MailWriter {
  return {
    async write({ messageId, from, to, subject, dateMs, headers, text, attachment }) {
      const composer = new MailComposer({
        ...{ messageId, subject, text },
        from: mailboxOf(from),
        to: to.length > 0 ? to.map(mailboxOf) : [mailboxOf(from)],
        date: new Date(dateMs),
        headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== '')),
        attachments: [
          { filename: attachment.name, contentType: attachment.mediaType, content: Buffer.from(attachment.content) },
        ],
        // Boundaries are random otherwise, and the same export would never give the same bytes.
        baseBoundary: hash('sha256', messageId, 'hex').slice(0, 32),
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      return await composer.compile().build();
    },
  };
}

/** Somebody whose address is not known, or could not stand in a header, is named by his id. */
function mailboxOf({ id, address, displayName }: Party): { readonly name: string; readonly address: string } {
  const usable = /^[^\s@<>()[\]\\,;:"\p{C}]+@[^\s@<>()[\]\\,;:"\p{C}]+$/u.test(address);
  const local = id.replace(/[^A-Za-z0-9_.-]/g, '-') || 'unknown';
  return { name: displayName, address: usable ? address : `${local}@unknown.parley.invalid` };
}
