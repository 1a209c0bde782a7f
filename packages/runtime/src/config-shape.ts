import type { z } from 'zod';

/** Kinds of value a setting may have. */
export type SettingKind = 'string' | 'number' | 'integer' | 'boolean' | 'enum' | 'list' | 'json';

/** One setting of a schema. */
export interface Setting {
  /** `im.maxTextChars`. */
  readonly path: string;
  readonly keys: readonly string[];
  /** `PARLEY_IM_MAX_TEXT_CHARS`. */
  readonly env: string;
  readonly kind: SettingKind;
  /** For people: `integer`, `one of debug, info`, `list of string`. */
  readonly type: string;
  /** For lists: kind of an element. */
  readonly element: SettingKind | undefined;
  readonly default: unknown;
  readonly required: boolean;
  readonly description: string;
}

/** What of zod's definitions is looked at here; which fields there are depends on the type. */
interface Def {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly innerType?: z.ZodType;
  readonly defaultValue?: unknown;
  readonly in?: z.ZodType;
  readonly out?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly values?: readonly unknown[];
  readonly entries?: Readonly<Record<string, string | number>>;
}

function defOf(schema: z.ZodType): Def {
  return schema._zod.def as unknown as Def;
}

const wrappers = new Set(['default', 'prefault', 'optional', 'nullable', 'nonoptional', 'readonly', 'catch']);

/** Every setting of a schema of nested objects, in its order. Throws when two settings share an environment name. */
export function settingsOf(schema: z.ZodType, prefix: string): readonly Setting[] {
  const found: Setting[] = [];
  walk(schema, [], prefix, found);
  const byEnv = new Map<string, string>();
  for (const { env, path } of found) {
    const other = byEnv.get(env);
    if (other !== undefined) throw new Error(`settings ${other} and ${path} would both be read from ${env}`);
    byEnv.set(env, path);
  }
  return found;
}

function walk(schema: z.ZodType, keys: readonly string[], prefix: string, found: Setting[]): void {
  const { inner, fallback, required, description } = unwrap(schema);
  const def = defOf(inner);
  if (def.type === 'object') {
    for (const [key, child] of Object.entries(def.shape ?? {})) {
      walk(child, [...keys, key], prefix, found);
    }
    return;
  }
  const kind = kindOf(inner);
  found.push({
    path: keys.join('.'),
    keys,
    env: prefix + keys.map(snake).join('_'),
    kind,
    type: typeName(inner),
    element: def.type === 'array' ? kindOf(unwrap(def.element as z.ZodType).inner) : undefined,
    default: fallback,
    required,
    description,
  });
}

/** Looks through defaults, optionality and pipes at what is really expected. */
function unwrap(schema: z.ZodType): { inner: z.ZodType; fallback: unknown; required: boolean; description: string } {
  let inner = schema;
  let fallback: unknown;
  let required = true;
  let description = schema.description ?? '';
  for (;;) {
    const def = defOf(inner);
    if (wrappers.has(def.type)) {
      if ((def.type === 'default' || def.type === 'prefault') && fallback === undefined) fallback = def.defaultValue;
      if (def.type !== 'nullable' && def.type !== 'nonoptional' && def.type !== 'readonly') required = false;
      inner = def.innerType as z.ZodType;
    } else if (def.type === 'pipe') {
      const before = def.in as z.ZodType;
      inner = defOf(before).type === 'transform' ? (def.out as z.ZodType) : before;
    } else {
      return { inner, fallback, required, description };
    }
    description ||= inner.description ?? '';
  }
}

function kindOf(schema: z.ZodType): SettingKind {
  const def = defOf(schema);
  switch (def.type) {
    case 'string':
    case 'template_literal':
      return 'string';
    case 'number':
      return (schema as z.ZodNumber).isInt ? 'integer' : 'number';
    case 'boolean':
      return 'boolean';
    case 'enum':
      return 'enum';
    case 'literal':
      return typeof def.values?.[0] === 'string' ? 'enum' : 'json';
    case 'array':
      return 'list';
    case 'union':
      return (def.options ?? []).every(option => stringy.has(kindOf(unwrap(option).inner))) ? 'string' : 'json';
    default:
      return 'json';
  }
}

const stringy = new Set<SettingKind>(['string', 'enum']);

function typeName(schema: z.ZodType): string {
  const def = defOf(schema);
  if (def.type === 'enum') return `one of ${Object.values(def.entries ?? {}).join(', ')}`;
  if (def.type === 'literal') return `one of ${(def.values ?? []).join(', ')}`;
  if (def.type === 'array') return `list of ${typeName(unwrap(def.element as z.ZodType).inner)}`;
  if (def.type === 'union') return (def.options ?? []).map(o => typeName(unwrap(o).inner)).join(' or ');
  if (def.type === 'record') return `map to ${typeName(unwrap(def.valueType as z.ZodType).inner)}`;
  const kind = kindOf(schema);
  return kind === 'json' ? 'JSON' : kind;
}

/** `maxTextChars` -> `MAX_TEXT_CHARS`, `jwksURLs` -> `JWKS_URLS`. */
function snake(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();
}
