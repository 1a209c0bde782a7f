import {
  ImportAction,
  type ImportPeopleRequest,
  type ImportRow as ImportRowMessage,
} from '@parley/contracts/directory/v1/admin';
import type { CallContext } from '@parley/rpc';
import type { ImportPersonRow } from '../app/import/check-row.ts';
import { type ImportNeeds, type ImportOutcome, importPeople } from '../app/import/import-people.ts';
import { directoryErrors as err } from '../errors.ts';
import { actorOf, callOf } from './calls.ts';
import { atMost } from './validate.ts';

const maxRows = 200;

export async function importPeopleCall(needs: ImportNeeds, request: ImportPeopleRequest, context: CallContext) {
  if (request.rows.length === 0) throw err('directory.field_missing', { field: 'rows' });
  atMost(request.rows, 'rows', maxRows);
  const rows = request.rows.map(rowOf);
  const options = { passwordChangeRequired: true };
  const outcomes = await importPeople(needs, rows, options, actorOf(context), callOf(context));
  return { outcomes: outcomes.map(outcome => outcomeMessage(outcome, request.dryRun)) };
}

function rowOf(row: ImportRowMessage): ImportPersonRow {
  const { externalId, address, otherAddresses, initialPassword, groups, setGroups } = row;
  const optional = {
    ...(row.displayName === undefined ? {} : { displayName: row.displayName }),
    ...(row.department === undefined ? {} : { department: row.department }),
    ...(row.title === undefined ? {} : { title: row.title }),
    ...(row.language === undefined ? {} : { language: row.language }),
    ...(row.site === undefined ? {} : { site: row.site }),
    ...(row.manager === undefined ? {} : { manager: row.manager }),
    ...(row.photo === undefined ? {} : { photo: row.photo }),
    ...(row.enabled === undefined ? {} : { enabled: row.enabled }),
    ...(setGroups ? { groups } : {}),
  };
  return { externalId, address, otherAddresses, initialPassword, ...optional };
}

const actions = {
  created: ImportAction.CREATED,
  updated: ImportAction.UPDATED,
  unchanged: ImportAction.UNCHANGED,
  refused: ImportAction.REFUSED,
} as const;

function outcomeMessage(outcome: ImportOutcome, dryRun: boolean) {
  const { action, personId, changed, code, field, message } = outcome;
  // Who is not made yet has no id.
  const known = dryRun && action === 'created' ? '' : personId;
  return { action: actions[action], personId: known, changed: [...changed], code, field, message };
}
