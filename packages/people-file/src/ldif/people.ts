import type { Draft } from '../csv/people.ts';
import { type PeopleFileCode, type ReasonParams, reasonOf } from '../errors.ts';
import type { PeopleFileLimits } from '../limits.ts';
import { isInnerPath } from '../photo.ts';
import type { Problem, Skipped } from '../row.ts';
import { firstLanguage, groupNames, hasControl, mailAddresses, nameOfParts, otherThan, yesOrNo } from '../values.ts';
import { dnKey } from './dn.ts';
import type { LdifEntry, LdifValue } from './entries.ts';

/** Attributes of each field, the most telling first (RFC 2798, RFC 4519, Active Directory). */
const ATTRIBUTES = {
  address: ['mail', 'userprincipalname'],
  other_addresses: ['proxyaddresses', 'mailalternateaddress', 'maillocaladdress'],
  display_name: ['displayname', 'cn'],
  given_name: ['givenname'],
  surname: ['sn'],
  department: ['department', 'departmentnumber', 'ou'],
  title: ['title'],
  language: ['preferredlanguage'],
  manager: ['manager'],
  groups: ['memberof', 'groups', 'ismemberof'],
  photo: ['jpegphoto', 'thumbnailphoto'],
  external_id: ['employeenumber', 'employeeid', 'entryuuid', 'objectguid', 'nsuniqueid'],
  account_control: ['useraccountcontrol'],
  locked: ['nsaccountlock'],
  object_class: ['objectclass'],
} as const;

type LdifField = keyof typeof ATTRIBUTES;

/** Fields of a row that several of ours belong to. */
const BELONGS: Readonly<Record<string, string>> = {
  given_name: 'display_name',
  surname: 'display_name',
  account_control: 'enabled',
  locked: 'enabled',
};
const FIELD_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(ATTRIBUTES).flatMap(([field, names]) => names.map(name => [name, BELONGS[field] ?? field] as const)),
);

/** Whether an attribute, named with its options, is looked at, where some fields of a row are not. */
export function isWanted(attribute: string, ignored: ReadonlySet<string>): boolean {
  const field = FIELD_OF.get(attribute.split(';', 1)[0] as string);
  return field !== undefined && !ignored.has(field);
}

const PEOPLE =
  /^(person|inetorgperson|organizationalperson|residentialperson|user|posixaccount|account|mailrecipient)$/;
const NOT_PEOPLE = /^(computer|msds-.*managedserviceaccount|trusteddomain|contact)$/;
/** Bit of `userAccountControl`: the account is disabled. */
const ACCOUNT_DISABLED = 2;

/** Makes a person of an entry; the first thing wrong refuses the whole entry. */
export function personOfEntry(entry: LdifEntry, limits: PeopleFileLimits): Draft | Problem | Skipped {
  let wrong: Problem | undefined;
  const refuse = (line: number, field: string, code: PeopleFileCode, params?: ReasonParams) => {
    wrong ??= { line, field, code, reason: reasonOf(code, params) };
  };
  /** Values of the first attribute of a field that is there; one without options counts before one with. */
  const given = (field: LdifField): readonly LdifValue[] | undefined => {
    for (const name of ATTRIBUTES[field]) {
      const plain = entry.attributes.get(name) ?? entry.attributes.get(`${name};binary`);
      if (plain) return plain;
      const tagged = [...entry.attributes].find(([key]) => key.startsWith(`${name};`));
      if (tagged) return tagged[1];
    }
    return undefined;
  };
  const text = (field: string, value: LdifValue): string => {
    const { line, form, raw } = value;
    if (form === 'url') refuse(line, field, 'people_file.ldif_url');
    const bytes = form === 'base64' ? bytesOf(raw) : undefined;
    if (form === 'base64' && !bytes) refuse(line, field, 'people_file.ldif_base64');
    const decoded = bytes ? utf8Of(bytes) : form === 'text' ? raw : '';
    if (decoded === undefined) refuse(line, field, 'people_file.encoding_invalid', { encoding: 'utf-8' });
    const trimmed = (decoded ?? '').trim();
    if (hasControl(trimmed)) refuse(line, field, 'people_file.control_character');
    return trimmed;
  };
  const texts = (field: LdifField) => given(field)?.map(value => text(field, value));
  const first = (field: LdifField) => {
    const value = given(field)?.[0];
    return value && text(field, value);
  };

  const classes = (texts('object_class') ?? []).map(name => name.toLowerCase());
  const isPerson = classes.some(name => PEOPLE.test(name)) && !classes.some(name => NOT_PEOPLE.test(name));
  if (classes.length > 0 ? !isPerson : !given('address') && !given('other_addresses'))
    return { line: entry.line, skipped: classes.at(-1) ?? 'no objectClass' };

  const dn = text('dn', entry.dn);
  const named = first('address');
  const mails = mailAddresses(entryAddresses(entry, text));
  const address = named || (mails.primary ?? '');
  const externalId = externalIdOf(given('external_id')?.[0], value => text('external_id', value));
  if (address === '') refuse(entry.line, 'address', 'people_file.value_missing');
  const displayName = first('display_name') || nameOfParts(first('given_name') ?? '', first('surname') ?? '');
  const department = first('department');
  const title = first('title');
  const language = first('language');
  const manager = first('manager');
  const groups = texts('groups');
  const enabled = enabledOf(first('account_control'), first('locked'));
  const picture = pictureOf(given('photo')?.[0], limits, refuse);
  if (wrong) return wrong;
  return {
    line: entry.line,
    row: {
      externalId,
      address,
      otherAddresses: otherThan(address, mails.all),
      ...(displayName !== '' && { displayName }),
      ...(department !== undefined && { department }),
      ...(title !== undefined && { title }),
      ...(language !== undefined && { language: firstLanguage(language) }),
      ...(manager === '' && { manager }),
      ...(groups && { groups: groupNames(groups) }),
      ...(picture.photo && { photo: picture.photo }),
      ...(enabled !== undefined && { enabled }),
    },
    ...(picture.path !== undefined && { photoPath: picture.path }),
    dn: dnKey(dn),
    ...(manager && { managerDn: dnKey(manager) }),
  };
}

/** `mail` beyond the first, `proxyAddresses`, `mailAlternateAddress`. */
function entryAddresses(entry: LdifEntry, text: (field: string, value: LdifValue) => string): string[] {
  const more = ATTRIBUTES.other_addresses.flatMap(name => entry.attributes.get(name) ?? []);
  return [...(entry.attributes.get('mail') ?? []), ...more].map(value => text('other_addresses', value));
}

function enabledOf(accountControl: string | undefined, locked: string | undefined): boolean | undefined {
  if (accountControl !== undefined && /^-?\d{1,10}$/.test(accountControl))
    return (Number(accountControl) & ACCOUNT_DISABLED) === 0;
  const isLocked = locked === undefined ? undefined : yesOrNo(locked);
  return isLocked === undefined ? undefined : !isLocked;
}

/** A key as text; the 16 bytes of an `objectGUID` as Active Directory writes them. */
function externalIdOf(value: LdifValue | undefined, text: (value: LdifValue) => string): string {
  if (!value) return '';
  const bytes = value.form === 'base64' ? bytesOf(value.raw) : undefined;
  if (bytes?.length !== 16 || (utf8Of(bytes) !== undefined && !hasControl(utf8Of(bytes) ?? ''))) return text(value);
  const hex = (from: number, to: number, step: number) => {
    const part = [...bytes.subarray(from, to)];
    return (step < 0 ? part.reverse() : part).map(byte => byte.toString(16).padStart(2, '0')).join('');
  };
  return [hex(0, 4, -1), hex(4, 6, -1), hex(6, 8, -1), hex(8, 10, 1), hex(10, 16, 1)].join('-');
}

function pictureOf(
  value: LdifValue | undefined,
  limits: PeopleFileLimits,
  refuse: (line: number, field: string, code: PeopleFileCode, params?: ReasonParams) => void,
): { readonly photo?: Uint8Array; readonly path?: string } {
  if (!value) return {};
  const { line, form, raw } = value;
  if (form === 'url') {
    const path = /^file:(.*)$/is.exec(raw)?.[1];
    const inner = path === undefined ? undefined : percentDecoded(path);
    if (inner !== undefined && isInnerPath(inner)) return { path: inner };
    refuse(line, 'photo', 'people_file.ldif_url');
    return {};
  }
  const photo = form === 'base64' ? bytesOf(raw) : raw === '' ? new Uint8Array(0) : undefined;
  if (!photo) refuse(line, 'photo', 'people_file.ldif_base64');
  else if (photo.length > limits.photoBytes)
    refuse(line, 'photo', 'people_file.photo_too_large', { limit: limits.photoBytes });
  else return { photo };
  return {};
}

function bytesOf(base64: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0) return undefined;
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

function utf8Of(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
