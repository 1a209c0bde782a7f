/** What became of a message at its sender. `waiting` is still being tried. */
export type Outcome = 'waiting' | 'acknowledged' | 'refused' | 'unknown';

/** How the sender's policy archives it. */
export type Lane = 'none' | 'archived' | 'critical';

/** A message as its sender knows it. */
export interface Sent {
  /** Id of the event it becomes. */
  readonly id: string;
  readonly conversation: string;
  readonly author: string;
  /** Counts the messages of its author in this conversation. */
  readonly number: number;
  readonly lane: Lane;
  readonly sentMs: number;
  outcome: Outcome;
  /** Key the server gave it. */
  key?: string;
  settledMs?: number;
  /** Code of the refusal. */
  code?: string;
}

/** A message as a device got it. */
export interface Got {
  readonly id: string;
  readonly key: string;
  /** When it came by itself, by `performance.now()`; 0 when somebody asked for it. */
  readonly atMs: number;
}

/** What one device got, in the order it came; the SDK hands on each id once. */
export interface Inbox {
  readonly device: string;
  readonly conversation: string;
  readonly got: readonly Got[];
}

/** How a message stands in the archive. */
export interface Kept {
  /** Links that say that it is kept. */
  readonly times: number;
  /** Some link says that it was not accepted. */
  readonly denied: boolean;
  /** The last word about it is that it was not accepted. */
  readonly deniedLast: boolean;
}

/** Everything that is known when the traffic has ended. */
export interface Evidence {
  readonly sent: readonly Sent[];
  readonly inboxes: readonly Inbox[];
  /** What the server answers to those who page through a conversation, oldest first, exactly as it answers. */
  readonly histories?: readonly Inbox[];
  /** What the archive says, by event id; undefined when nobody looked. */
  readonly kept: ReadonlyMap<string, Kept> | undefined;
  /** Messages that had no answer by then are still on their way; by `performance.now()`. Default: all is over. */
  readonly asOfMs?: number;
  /** Only what was sent from then on is counted, by `performance.now()`; all of it is judged. Default: everything. */
  readonly fromMs?: number;
  /** What watchers saw of people who were there all the time. */
  readonly flaps: readonly string[];
  /** How long watchers who had come back saw nothing of each other, milliseconds. Default: nobody measured. */
  readonly blindMs?: readonly number[];
  /** What a verification of the archive found. */
  readonly findings: readonly string[];
}

/** The reconciliation. Everything below `problems` is a count. */
export interface Report {
  readonly sent: number;
  readonly acknowledged: number;
  /** Refused for good: nobody may have got them. */
  readonly refused: number;
  /** Refused for another reason than that critical mode wants the archive. */
  readonly refusedWrongly: number;
  /** Given up without an answer. */
  readonly unknown: number;
  readonly devices: number;
  /** Over all devices. */
  readonly delivered: number;
  readonly archived: number;
  /** Acknowledged and missing at a device. */
  readonly lost: number;
  /** At a device, and refused, or never sent. */
  readonly ghosts: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
  /** A device shows another key than the sender was told. */
  readonly otherKey: number;
  /** Acknowledged, to be archived, and not kept. */
  readonly unarchived: number;
  /** Kept more than once, although it was not to be archived, or with the wrong word about whether it was accepted. */
  readonly archivedWrongly: number;
  readonly presenceFlaps: number;
  readonly archiveFindings: number;
  /** From sending to the acknowledgement, and from there to the devices of others, milliseconds. */
  readonly acknowledgeMs: Quantiles;
  readonly deliverMs: Quantiles;
  /** From a watcher's being back to his seeing the others again, milliseconds. */
  readonly blindMs: Quantiles;
  /** Codes of refusals. */
  readonly refusals: Readonly<Record<string, number>>;
  /** One line for each thing that must not be; empty when all is well. */
  readonly problems: readonly string[];
}

/** Of a distribution. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Problems of one kind that are named; the rest is counted. */
const NAMED = 5;

/** Reconciles: every acknowledged message at every device of its conversation once, in order, and archived once. */
export function reconcile({
  sent,
  inboxes,
  histories = [],
  kept,
  flaps,
  blindMs = [],
  findings,
  asOfMs = Number.POSITIVE_INFINITY,
  fromMs = 0,
}: Evidence): Report {
  const over = (message: Sent) => message.settledMs !== undefined && message.settledMs <= asOfMs;
  const byId = new Map(sent.map(message => [message.id, message]));
  const found = new Findings();
  const reachedBy = new Map<string, number>();
  const deliverMs: number[] = [];

  for (const inbox of [...inboxes, ...histories]) {
    const seen = new Set<string>();
    for (const { id, key, atMs } of inbox.got) {
      const message = byId.get(id);
      if (seen.has(id)) found.add('duplicates', `${inbox.device} got ${id} twice`);
      seen.add(id);
      reachedBy.set(id, (reachedBy.get(id) ?? 0) + 1);
      if (!message) found.add('ghosts', `${inbox.device} got ${id}, which nobody sent`);
      else if (message.conversation !== inbox.conversation) found.add('ghosts', `${inbox.device} got ${id} of others`);
      else if (message.outcome === 'refused') found.add('ghosts', `${inbox.device} got ${id}, refused ${message.code}`);
      if (message?.key !== undefined && message.key !== key)
        found.add('otherKey', `${inbox.device} shows ${id} at ${key}, its sender at ${message.key}`);
      if (atMs > 0 && message?.settledMs !== undefined && isAcknowledged(message) && message.sentMs >= fromMs)
        deliverMs.push(Math.max(0, atMs - message.settledMs));
    }
    for (const message of sent)
      if (
        message.conversation === inbox.conversation &&
        isAcknowledged(message) &&
        over(message) &&
        !seen.has(message.id)
      )
        found.add('lost', `${inbox.device} never got ${message.id} (number ${message.number})`);
    for (const problem of disorder(inbox, byId)) found.add('outOfOrder', problem);
  }
  for (const { device, got } of histories)
    for (const [i, { id, key }] of got.entries()) {
      const before = got[i - 1];
      if (before && before.key >= key)
        found.add('outOfOrder', `${device} has ${id} at ${key} after ${before.id} at ${before.key}`);
    }

  const devicesOf = new Map<string, number>();
  for (const { conversation } of [...inboxes, ...histories])
    devicesOf.set(conversation, (devicesOf.get(conversation) ?? 0) + 1);
  for (const message of sent) {
    const { id, lane, outcome } = message;
    const { times, denied, deniedLast } = kept?.get(id) ?? NOWHERE;
    const reached = reachedBy.get(id) ?? 0;
    if (outcome === 'waiting' && asOfMs === Number.POSITIVE_INFINITY)
      found.add('lost', `${id} was still waiting for an answer`);
    if (outcome === 'refused' && (lane !== 'critical' || message.code !== 'im.archive_unavailable'))
      found.add('refusedWrongly', `${id} (${lane}) was refused: ${message.code}`);
    if (outcome === 'unknown' && reached !== 0 && reached !== devicesOf.get(message.conversation))
      found.add('lost', `${id}, of unknown outcome, reached ${reached} devices only`);
    const accepted = outcome === 'acknowledged' || (outcome === 'unknown' && reached > 0);
    if (kept && accepted && lane !== 'none' && times === 0) found.add('unarchived', `${id} (${lane}) is not archived`);
    if (times > 1) found.add('archivedWrongly', `${id} is kept ${times} times`);
    if (times > 0 && lane === 'none') found.add('archivedWrongly', `${id} is kept and was not to be archived`);
    if (times > 0 && !accepted && !denied)
      found.add('archivedWrongly', `${id} is kept as accepted: ${outcome} ${lane}`);
    if (times > 0 && accepted && deniedLast) found.add('archivedWrongly', `${id} is kept as not accepted: ${outcome}`);
  }
  for (const flap of flaps) found.add('presenceFlaps', flap);
  for (const finding of findings) found.add('archiveFindings', finding);

  const counted = sent.filter(message => message.sentMs >= fromMs);
  const countedIds = new Set(counted.map(message => message.id));
  const of = (outcome: Outcome) => counted.filter(message => message.outcome === outcome);
  const acknowledged = of('acknowledged');
  return {
    sent: counted.length,
    acknowledged: acknowledged.length,
    refused: of('refused').length,
    unknown: of('unknown').length,
    devices: inboxes.length,
    delivered: inboxes.reduce((sum, { got }) => sum + got.filter(({ id }) => countedIds.has(id)).length, 0),
    archived: counted.filter(message => kept?.has(message.id)).length,
    ...found.counts,
    acknowledgeMs: quantiles(acknowledged.map(m => (m.settledMs ?? m.sentMs) - m.sentMs)),
    deliverMs: quantiles(deliverMs),
    blindMs: quantiles(blindMs),
    refusals: Object.fromEntries(
      [...Map.groupBy(of('refused'), m => m.code ?? 'without a code')].map(([code, some]) => [code, some.length]),
    ),
    problems: found.lines(),
  };
}

const NOWHERE: Kept = { times: 0, denied: false, deniedLast: false };

const isAcknowledged = (message: Sent): boolean => message.outcome === 'acknowledged';

/** Messages of one author must stand, by their keys, in the order he wrote them. */
function disorder(inbox: Inbox, byId: ReadonlyMap<string, Sent>): string[] {
  const last = new Map<string, Sent>();
  const problems: string[] = [];
  for (const { id } of [...inbox.got].sort((a, b) => (a.key < b.key ? -1 : 1))) {
    const message = byId.get(id);
    if (!message) continue;
    const before = last.get(message.author);
    if (before && before.number > message.number)
      problems.push(`${inbox.device} shows number ${message.number} of ${message.author} after ${before.number}`);
    last.set(message.author, message);
  }
  return problems;
}

/** The value that so large a share is below; 0 of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

function quantiles(values: readonly number[]): Quantiles {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99), max: quantile(values, 1) };
}

const KINDS = [
  'lost',
  'ghosts',
  'duplicates',
  'outOfOrder',
  'otherKey',
  'unarchived',
  'archivedWrongly',
  'refusedWrongly',
  'presenceFlaps',
  'archiveFindings',
] as const;
type Kind = (typeof KINDS)[number];

class Findings {
  readonly counts: Record<Kind, number>;
  readonly #named = new Map<Kind, string[]>();

  constructor() {
    this.counts = Object.fromEntries(KINDS.map(kind => [kind, 0])) as Record<Kind, number>;
  }

  add(kind: Kind, text: string): void {
    this.counts[kind]++;
    const named = this.#named.get(kind) ?? [];
    if (named.length < NAMED) this.#named.set(kind, [...named, text]);
  }

  lines(): string[] {
    return [...this.#named].flatMap(([kind, named]) => {
      const more = this.counts[kind] - named.length;
      return [...named.map(text => `${kind}: ${text}`), ...(more > 0 ? [`${kind}: and ${more} more`] : [])];
    });
  }
}

/** The counts on a few lines, for people. */
export function formatReport(report: Report): string {
  const { acknowledgeMs: ack, deliverMs: deliver, blindMs: blind } = report;
  const refusals = Object.entries(report.refusals).map(([code, n]) => `${code} ${n}`);
  return [
    `sent ${report.sent} · acknowledged ${report.acknowledged} · refused ${report.refused}${refusals.length > 0 ? ` (${refusals.join(', ')})` : ''} · unknown ${report.unknown}`,
    `delivered ${report.delivered} to ${report.devices} devices · archived ${report.archived}`,
    `lost ${report.lost} · ghosts ${report.ghosts} · duplicates ${report.duplicates} · out of order ${report.outOfOrder} · other key ${report.otherKey} · unarchived ${report.unarchived} · archived wrongly ${report.archivedWrongly} · refused wrongly ${report.refusedWrongly} · presence flaps ${report.presenceFlaps} · archive findings ${report.archiveFindings}`,
    `acknowledged after ms p50 ${ack.p50} p99 ${ack.p99} max ${ack.max} · delivered after ms p50 ${deliver.p50} p99 ${deliver.p99} max ${deliver.max} · presence back after ms p50 ${blind.p50} max ${blind.max}`,
    ...report.problems,
  ].join('\n');
}
