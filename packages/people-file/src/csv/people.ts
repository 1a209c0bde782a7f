import { type PeopleFileCode, type ReasonParams, reasonOf } from '../errors.ts';
import { dnKey, looksLikeDn } from '../ldif/dn.ts';
import type { PeopleFileLimits } from '../limits.ts';
import type { PeopleRow, Problem } from '../row.ts';
import {
  firstLanguage,
  groupNames,
  hasControl,
  listOf,
  mailAddresses,
  nameOfParts,
  otherThan,
  yesOrNo,
} from '../values.ts';
import type { CsvField } from './columns.ts';
import type { TableRow } from './table.ts';

/** A person as read, his picture still to be fetched. */
export interface Draft {
  readonly line: number;
  readonly row: PeopleRow;
  /** Path of his picture; not checked. */
  readonly photoPath?: string;
  readonly dn?: string;
  readonly managerDn?: string;
}

/** Makes a person of a row of a table; the first thing wrong refuses the whole row. */
export function personOfRow({ line, values }: TableRow<CsvField>, limits: PeopleFileLimits): Draft | Problem {
  let wrong: Problem | undefined;
  const refuse = (field: string, code: PeopleFileCode, params?: ReasonParams) => {
    wrong ??= { line, field, code, reason: reasonOf(code, params) };
  };
  const clean = (field: string, text: string) => {
    const trimmed = text.trim();
    if (hasControl(trimmed)) refuse(field, 'people_file.control_character');
    return trimmed;
  };
  /** The first column of a field; undefined where there is none. */
  const text = (field: CsvField) => {
    const cell = values(field)?.[0];
    return cell === undefined ? undefined : clean(field, cell);
  };
  /** The first column of a field that is not empty here. */
  const filled = (field: CsvField) => {
    const cell = values(field)?.find(one => one.trim() !== '');
    return cell === undefined ? '' : clean(field, cell);
  };
  const list = (field: CsvField) => {
    const cell = values(field)?.[0];
    if (cell === undefined) return undefined;
    const found = listOf(cell.replaceAll('\r\n', '\n')).map(one => clean(field, one));
    if (found.length > limits.values) refuse(field, 'people_file.too_many_values', { limit: limits.values });
    return found;
  };
  const flag = (field: CsvField) => {
    const cell = filled(field);
    const value = cell === '' ? undefined : yesOrNo(cell);
    if (cell !== '' && value === undefined) refuse(field, 'people_file.value_invalid', { expected: 'yes or no' });
    return value;
  };

  const others = list('other_addresses') ?? [];
  // X.400 and X.500 names hold separators of their own
  const foreign = others.some(one => /^x[45]00:/i.test(one));
  const mails = mailAddresses(
    foreign ? others.filter(one => one.includes('@')) : others.flatMap(one => one.split(/[,\s]+/)),
  );
  const address = filled('address').replace(/^smtp:/i, '') || (mails.primary ?? '');
  const externalId = filled('external_id');
  if (address === '') refuse('address', 'people_file.value_missing');
  const displayName = filled('display_name') || nameOfParts(filled('given_name'), filled('surname'));
  const department = text('department');
  const title = text('title');
  const language = text('language');
  const site = text('site');
  const manager = values('manager') && filled('manager');
  const groups = list('groups');
  const photo = text('photo');
  const disabled = flag('disabled');
  const enabled = flag('enabled') ?? (disabled === undefined ? undefined : !disabled);
  const dn = filled('dn');
  const managerDn = manager !== undefined && looksLikeDn(manager) ? dnKey(manager) : undefined;
  if (wrong) return wrong;
  return {
    line,
    row: {
      externalId,
      address,
      otherAddresses: otherThan(address, mails.all),
      ...(displayName !== '' && { displayName }),
      ...(department !== undefined && { department }),
      ...(title !== undefined && { title }),
      ...(language !== undefined && { language: firstLanguage(language) }),
      ...(site !== undefined && { site }),
      ...(manager !== undefined && managerDn === undefined && { manager }),
      ...(groups && { groups: groupNames(groups) }),
      ...(photo === '' && { photo: new Uint8Array(0) }),
      ...(filled('initial_password') !== '' && { initialPassword: filled('initial_password') }),
      ...(enabled !== undefined && { enabled }),
    },
    ...(photo !== undefined && photo !== '' && { photoPath: photo }),
    ...(dn !== '' && { dn: dnKey(dn) }),
    ...(managerDn !== undefined && { managerDn }),
  };
}
