import { normaliseAddress } from '../../domain/address.ts';
import { maxExternalId } from '../../domain/external-id.ts';
import { groupKey } from '../../domain/group.ts';
import type { ImportPhoto, ImportRow } from '../../domain/import-row.ts';
import { maxAddresses } from '../../domain/person.ts';
import { maxPhotoBytes, maxPhotoSide, photoFormat, photoVersion } from '../../domain/photo.ts';
import { directoryErrors as err } from '../../errors.ts';
import { checkOwnDomain } from '../create-person.ts';
import { address, atMost, language, line, password, site, tooLong } from '../input.ts';

/** Somebody as another system knows him. What is missing is left as it is, what is empty is emptied. */
export interface ImportPersonRow {
  /** At most 128 characters; missing or empty: found by address. */
  readonly externalId?: string;
  /** In a domain of the organisation. */
  readonly address: string;
  readonly otherAddresses?: readonly string[];
  /** Needed to make a person. */
  readonly displayName?: string;
  readonly department?: string;
  readonly title?: string;
  readonly language?: string;
  readonly site?: string;
  /** Address, id or external id. */
  readonly manager?: string;
  /** Names of all groups he is to be in; missing leaves them. */
  readonly groups?: readonly string[];
  /** PNG, JPEG or WebP, at most 65,536 bytes and 512 x 512 pixels. */
  readonly photo?: Uint8Array;
  /** 12 to 256 bytes; only for a new person. */
  readonly initialPassword?: string;
  readonly enabled?: boolean;
}

const maxGroups = 64;

/** Throws the refusal, with the field's name in the contract. */
export function checkRow(domains: ReadonlySet<string>, row: ImportPersonRow): ImportRow {
  const own = (value: string, field: string) => {
    const normalised = address(value, field);
    checkOwnDomain(domains, normalised, field);
    return normalised;
  };
  const optional = (value: string | undefined, field: string) =>
    value === undefined ? undefined : line(value, field, 256, false);
  const others = row.otherAddresses ?? [];
  atMost(others, 'other_addresses', maxAddresses - 1);
  return {
    externalId: line(row.externalId ?? '', 'external_id', maxExternalId, false),
    address: own(row.address, 'address'),
    otherAddresses: [...new Set(others.map(other => own(other, 'other_addresses')))],
    displayName: row.displayName === undefined ? undefined : line(row.displayName, 'display_name', 256, true),
    department: optional(row.department, 'department'),
    title: optional(row.title, 'title'),
    language: row.language === undefined ? undefined : language(row.language.trim(), 'language'),
    site: row.site === undefined ? undefined : site(row.site.trim(), 'site'),
    manager: row.manager === undefined ? undefined : managerRef(row.manager),
    groups: row.groups && groupNames(row.groups),
    photo: row.photo && photoOf(row.photo),
    initialPassword: row.initialPassword ? password(row.initialPassword, 'initial_password') : '',
    enabled: row.enabled,
  };
}

/** In the spelling by which addresses are found; anything else as it is. */
function managerRef(value: string): string {
  const ref = line(value, 'manager', 320, false);
  const normalised = ref.includes('@') ? normaliseAddress(ref) : undefined;
  return normalised?.ok ? normalised.address : ref;
}

function groupNames(values: readonly string[]): readonly string[] {
  atMost(values, 'groups', maxGroups);
  const names = new Map<string, string>();
  for (const value of values) {
    const name = line(value, 'groups', 256, true);
    const key = groupKey(name);
    if (!names.has(key)) names.set(key, name);
  }
  return [...names.values()];
}

function photoOf(data: Uint8Array): ImportPhoto {
  const field = 'photo';
  if (data.length === 0) return { mediaType: '', data, version: '' };
  if (data.length > maxPhotoBytes) throw tooLong(field, maxPhotoBytes, 'bytes');
  const format = photoFormat(data);
  if (!format) throw err('directory.photo_invalid', { field });
  const { width, height, mediaType } = format;
  if (Math.max(width, height) > maxPhotoSide) {
    throw err('directory.photo_large', { field, params: { width, height, limit: maxPhotoSide } });
  }
  return { mediaType, data, version: photoVersion(data) };
}
