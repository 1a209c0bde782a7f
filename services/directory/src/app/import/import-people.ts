import { ParleyError } from '@parley/rpc';
import { groupKey } from '../../domain/group.ts';
import type { ImportRow } from '../../domain/import-row.ts';
import { directoryErrors as err } from '../../errors.ts';
import type { ImportAction } from '../../events.ts';
import type { Records } from '../../ports/records.ts';
import { type Actor, type Call, causeOf } from '../call.ts';
import type { ChangeAccountNeeds } from '../change-account.ts';
import type { CreatePersonNeeds } from '../create-person.ts';
import type { GroupNeeds } from '../groups.ts';
import { checkRow, type ImportPersonRow } from './check-row.ts';
import { type Known, type KnownNeeds, loadKnown, newPersonId, targetOf } from './known.ts';
import { type Joining, planRow, type RowPlan } from './plan-row.ts';
import { writeGroups } from './write-groups.ts';
import { type WriteContext, writeChanges, writeNewPerson } from './write-row.ts';

export type ImportNeeds = CreatePersonNeeds & ChangeAccountNeeds & GroupNeeds & KnownNeeds & Pick<Records, 'photos'>;

/** What became of a row. */
export interface ImportOutcome {
  readonly action: ImportAction;
  /** Empty when refused. */
  readonly personId: string;
  /** Names of fields as in the contract's ImportRow. */
  readonly changed: readonly string[];
  /** Of the refusal; empty unless refused. */
  readonly code: string;
  readonly field: string;
  readonly message: string;
}

export interface ImportOptions {
  /** Of those made with a password. */
  readonly passwordChangeRequired: boolean;
}

interface Item {
  readonly index: number;
  readonly row: ImportRow;
  /** Fields that earlier tries have changed. */
  changed: readonly string[];
  passwordHash: string | null;
  /** Why the try before came to nothing. */
  hindrance: ParleyError | undefined;
}

/** More tries in a row that finish nobody than others can cause, unless something is wrong. */
const maxIdle = 32;
/** New passwords hashed before those who have them are stored. */
const hashedAtOnce = 16;

/** Each row alone: a bad one is refused, the others go on. `actor` undefined is the installation itself. */
export async function importPeople(
  needs: ImportNeeds,
  rows: readonly ImportPersonRow[],
  options: ImportOptions,
  actor: Actor | undefined,
  call: Call,
): Promise<readonly ImportOutcome[]> {
  const outcomes: ImportOutcome[] = [];
  const context: WriteContext = { actor, call, ...options };
  let waiting: Item[] = [];
  for (const [index, raw] of rows.entries()) {
    const row = refusedOr(() => checkRow(needs.domains, raw));
    if (row instanceof ParleyError) outcomes[index] = refused(row);
    else waiting.push({ index, row, changed: [], passwordHash: null, hindrance: undefined });
  }
  let idle = 0;
  while (waiting.length > 0) {
    call.signal?.throwIfAborted();
    const { ready, later } = arrange(waiting);
    const again = await pass(needs, ready, later, context, outcomes);
    idle = again.length === ready.length ? idle + 1 : 0;
    if (idle >= maxIdle) {
      for (const item of again) outcomes[item.index] = refused(item.hindrance ?? err('directory.busy'));
      waiting = later;
    } else waiting = [...again, ...later].sort((a, b) => a.index - b.index);
  }
  const count = (action: ImportAction) => outcomes.filter(outcome => outcome.action === action).length;
  const counts = {
    created: count('created'),
    updated: count('updated'),
    unchanged: count('unchanged'),
    refused: count('refused'),
  };
  needs.events.peopleImported(counts, causeOf(call, actor));
  return outcomes;
}

/** Rows about the same person, as far as keys and addresses tell, follow one after the other. */
function arrange(items: readonly Item[]): { readonly ready: Item[]; readonly later: Item[] } {
  const taken = new Set<string>();
  const ready: Item[] = [];
  const later: Item[] = [];
  for (const item of items) {
    const keys = keysOf(item.row);
    (keys.some(key => taken.has(key)) ? later : ready).push(item);
    for (const key of keys) taken.add(key);
  }
  return { ready, later };
}

function keysOf(row: ImportRow): readonly string[] {
  const { externalId, address, otherAddresses } = row;
  return [...(externalId ? [`key ${externalId}`] : []), address, ...otherAddresses];
}

/** One try for rows that do not stand in each other's way. Returns those to be tried again. */
async function pass(
  needs: ImportNeeds,
  ready: readonly Item[],
  later: readonly Item[],
  context: WriteContext,
  outcomes: ImportOutcome[],
): Promise<readonly Item[]> {
  const rows = ready.map(item => item.row);
  const known = await loadKnown(needs, rows);
  const planned = planAll(needs, known, ready, later, context, outcomes);
  const again: Item[] = [...planned.postponed];
  const changing = planned.plans.filter(({ plan }) => !plan.person || plan.changed.length > 0);
  const versions = await needs.versions.forPeople(changing.map(({ plan }) => plan.personId));
  const done: Planned[] = [];
  const write = async (planned: Planned) => {
    const { item, plan } = planned;
    const version = versions.get(plan.personId);
    try {
      const written =
        version === undefined
          ? 'done'
          : plan.person
            ? await writeChanges(needs, plan, plan.person, version, context)
            : await writeNewPerson(needs, plan, version, item.passwordHash, context);
      if (written === 'done') done.push(planned);
      else {
        // The account comes first and has been changed.
        item.changed = [...item.changed, ...plan.changed.filter(field => field === 'enabled')];
        again.push(item);
      }
    } catch (error) {
      if (!(error instanceof ParleyError)) throw error;
      // Taken or changed by another just now: who it is shows when it is read again.
      if (!['exists', 'conflict'].includes(error.kind)) outcomes[item.index] = refused(error);
      else {
        item.hindrance = error;
        again.push(item);
      }
    }
  };
  const isSlow = ({ item, plan }: Planned) => plan.password !== undefined && item.passwordHash === null;
  const slow = planned.plans.filter(isSlow);
  await settled(planned.plans.filter(one => !isSlow(one)).map(write));
  // Stored as they are ready: a caller who has given up finds them when he comes again.
  for (let i = 0; i < slow.length; i += hashedAtOnce) {
    const part = slow.slice(i, i + hashedAtOnce);
    await hashPasswords(needs, part, context.call);
    await settled(part.map(write));
  }
  // In the order of the file: the first row that names a group gives it its spelling.
  done.sort((a, b) => a.item.index - b.item.index);
  const full = await writeGroups(
    needs,
    done.map(({ plan }) => plan),
    causeOf(context.call, context.actor),
  );
  for (const { item, plan } of done) {
    const refusal = full.get(plan.personId);
    outcomes[item.index] = refusal ? refused(refusal) : accepted(item, plan);
  }
  return again;
}

interface Planned {
  readonly item: Item;
  readonly plan: RowPlan;
}

function planAll(
  needs: ImportNeeds,
  known: Known,
  ready: readonly Item[],
  later: readonly Item[],
  { actor }: WriteContext,
  outcomes: ImportOutcome[],
): { readonly plans: readonly Planned[]; readonly postponed: readonly Item[] } {
  const now = needs.clock.now();
  const postponed: Item[] = [];
  const awaited = new Set(later.flatMap(item => keysOf(item.row)).concat(later.flatMap(item => item.row.externalId)));
  let candidates = ready;
  for (;;) {
    // Whoever is refused is nobody's manager: plan the others again without him.
    const named = namesOf(known, candidates);
    const joining = new Map<string, number>();
    const plans: Planned[] = [];
    const refusals: { readonly item: Item; readonly refusal: ParleyError }[] = [];
    for (const item of candidates) {
      const plan = refusedOr(() => planRow(known, item.row, named, joining, actor, now));
      if (plan instanceof ParleyError) refusals.push({ item, refusal: plan });
      else {
        plans.push({ item, plan });
        countJoining(joining, plan);
      }
    }
    if (refusals.length === 0) return { plans, postponed };
    for (const { item, refusal } of refusals) {
      const waits = refusal.code === 'directory.manager_not_found' && awaited.has(item.row.manager ?? '');
      if (waits) postponed.push(item);
      else outcomes[item.index] = refused(refusal);
    }
    candidates = plans.map(({ item }) => item);
  }
}

function namesOf(known: Known, items: readonly Item[]): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  for (const { row } of items) {
    const personId = targetOf(known, row)?._id ?? newPersonId(row);
    for (const name of [row.externalId, row.address, ...row.otherAddresses]) if (name) named.set(name, personId);
  }
  return named;
}

function countJoining(joining: Map<string, number>, plan: RowPlan): Joining {
  for (const name of plan.join) joining.set(groupKey(name), (joining.get(groupKey(name)) ?? 0) + 1);
  return joining;
}

/** One after the other: those who sign in meanwhile must not wait behind a file. */
async function hashPasswords(needs: ImportNeeds, planned: readonly Planned[], call: Call): Promise<void> {
  for (const { item, plan } of planned) {
    if (plan.password !== undefined) item.passwordHash = await needs.hasher.hash(plan.password, call.signal);
  }
}

/** Waits for all, also when one fails. */
async function settled(work: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failed = results.find(result => result.status === 'rejected');
  if (failed) throw failed.reason;
}

function accepted(item: Item, plan: RowPlan): ImportOutcome {
  const changed = [...new Set([...item.changed, ...plan.changed])];
  const action = !plan.person ? 'created' : changed.length > 0 ? 'updated' : 'unchanged';
  return { action, personId: plan.personId, changed: plan.person ? changed : [], code: '', field: '', message: '' };
}

function refused(error: ParleyError): ImportOutcome {
  const field = error.field ?? '';
  const message = field === '' ? error.message : error.message.slice(field.length + 2);
  return { action: 'refused', personId: '', changed: [], code: error.code, field, message };
}

function refusedOr<T>(work: () => T): T | ParleyError {
  try {
    return work();
  } catch (error) {
    if (error instanceof ParleyError) return error;
    throw error;
  }
}
