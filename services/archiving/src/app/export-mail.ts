import { hash } from 'node:crypto';
import type { Party } from '../domain/audit-entry.ts';
import { transcript } from '../domain/transcript.ts';
import type { Mail } from '../ports/mail-writer.ts';
import { type FoundRecord } from './read-records.ts';
import { partiesOf, recordLine } from './record-line.ts';
import { byKey } from './view.ts';

/** Bytes of a message's records; past them another message begins. */
const MOST_BYTES = 2_000_000;

/** Records of one conversation and day on their way into a message; of many, into several. */
export class MailDraft {
  records: FoundRecord[] = [];
  readonly #conversation: string;
  readonly #day: string;
  readonly #most: number;
  #bytes = 0;
  #part = 0;

  constructor(conversation: string, day: string, most: number) {
    this.#conversation = conversation;
    this.#day = day;
    this.#most = most;
  }

  get full(): boolean {
    return this.records.length >= this.#most || this.#bytes > MOST_BYTES;
  }

  add(record: FoundRecord): void {
    this.records.push(record);
    this.#bytes += record.content.raw.length;
  }

  /** The message for what there is; another one begins. */
  take(): { readonly path: string; readonly message: Mail } {
    const part = ++this.#part;
    const message = mailOf(this.#conversation, this.#day, part, this.records);
    const name = this.#conversation === '' ? 'unreadable' : hash('sha256', this.#conversation, 'hex').slice(0, 24);
    this.records = [];
    this.#bytes = 0;
    return { path: `mail/${this.#day}/${name}${part > 1 ? `-${part}` : ''}.eml`, message };
  }
}

/** The message for records of one conversation and day (`part` from 1, when there are several). */
function mailOf(conversation: string, dayName: string, part: number, records: readonly FoundRecord[]): Mail {
  const said = records.toSorted(byKey);
  const first = records[0] as FoundRecord;
  const people = new Map<string, Party>();
  for (const record of said) {
    const { sender, recipients } = partiesOf(record);
    for (const party of [sender, ...recipients]) if (party.id !== '') people.set(party.id, party);
  }
  const from = partiesOf(first).sender;
  const to = [...people.values()].filter(party => party.id !== from.id);
  const places = records.map(record => record.link.place);
  // The same records make the same message, whoever exports them.
  const id = hash('sha256', ['parley.export.mail.1', conversation, dayName, part, ...places].join('\n'), 'hex');
  const names = [...people.values()].map(nameOf).slice(0, 4).join(', ');
  const more = people.size > 4 ? ` and ${people.size - 4} more` : '';
  const title = conversation === '' ? 'Records that cannot be read' : `Conversation of ${names}${more}`;
  return {
    messageId: `<${id.slice(0, 40)}@archive.parley.invalid>`,
    ...{ from, to, dateMs: first.timeMs },
    subject: `${title}, ${dayName}${part > 1 ? ` (${part})` : ''}`,
    headers: {
      'X-Parley-Conversation': conversation,
      'X-Parley-Day': dayName,
      'X-Parley-Records': String(records.length),
      'X-Parley-First-Link': places[0] as string,
      'X-Parley-Last-Link': places.at(-1) as string,
    },
    text: transcript(`${title}, ${dayName} (times are UTC)`, said.map(lineOf)),
    attachment: {
      name: 'records.jsonl',
      mediaType: 'application/x-ndjson',
      content: `${records.map(recordLine).join('\n')}\n`,
    },
  };
}

const nameOf = (party: Party): string => party.displayName || party.address || party.id;

function lineOf(found: FoundRecord) {
  const { sender } = partiesOf(found);
  const { record, state, timeMs, intact } = found;
  return {
    ...{ timeMs, state, intact, name: nameOf(sender), address: sender.address },
    text: record?.text ?? '(cannot be read; the bytes are in the attachment)',
    kind: record?.eventKind ?? '',
  };
}
